// SPDX-License-Identifier: Apache-2.0

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.huaweicloud.sdk.core.SdkResponse;
import com.huaweicloud.sdk.core.http.FieldExistence;
import com.huaweicloud.sdk.core.http.HttpMethod;
import com.huaweicloud.sdk.core.http.HttpRequestDef;
import com.huaweicloud.sdk.core.http.LocationType;

import java.util.List;
import java.util.function.Function;

/**
 * HandleImageVulnerability, its preview and its history as the SDK's core wants calls described
 * (see AffectedImages), with the fields of the SDKs that have them.
 */
final class Decisions {
    @JsonInclude(JsonInclude.Include.NON_NULL)
    static final class VulData {
        @JsonProperty("vul_id") public String vulId;
        @JsonProperty("image_id_list") public List<String> imageIdList;
    }

    @JsonInclude(JsonInclude.Include.NON_NULL)
    static final class ImageData {
        @JsonProperty("image_id") public String imageId;
        @JsonProperty("vul_id_list") public List<String> vulIdList;
    }

    @JsonInclude(JsonInclude.Include.NON_NULL)
    static final class Body {
        @JsonProperty("image_type") public String imageType;
        @JsonProperty("type") public String type;
        @JsonProperty("operate_type") public String operateType;
        @JsonProperty("handle_status") public String handleStatus;
        @JsonProperty("select_type") public String selectType;
        @JsonProperty("image_id_list") public List<String> imageIdList;
        @JsonProperty("vul_id_list") public List<String> vulIdList;
        @JsonProperty("vul_data_list") public List<VulData> vulDataList;
        @JsonProperty("image_data_list") public List<ImageData> imageDataList;
        @JsonProperty("remark") public String remark;
    }

    /** Of the first two calls; the first has enterprise_project_id and body alone. */
    static final class Operation {
        @JsonProperty("enterprise_project_id") public String enterpriseProjectId;
        @JsonProperty("offset") public Integer offset;
        @JsonProperty("limit") public Integer limit;
        @JsonProperty("image_name") public String imageName;
        @JsonProperty("vul_name") public String vulName;
        @JsonProperty("body") public Body body;
    }

    static final class Query {
        @JsonProperty("enterprise_project_id") public String enterpriseProjectId;
        @JsonProperty("offset") public Integer offset;
        @JsonProperty("limit") public Integer limit;
        @JsonProperty("vul_id") public String vulId;
        @JsonProperty("image_id") public String imageId;
        @JsonProperty("image_type") public String imageType;
        @JsonProperty("image_name") public String imageName;
        @JsonProperty("status") public String status;
        @JsonProperty("user_name") public String userName;
        @JsonProperty("handle_type") public String handleType;
        @JsonProperty("app_name") public String appName;
        @JsonProperty("app_version") public String appVersion;
        @JsonProperty("remark") public String remark;
    }

    static final class Handled extends SdkResponse {
    }

    @JsonInclude(JsonInclude.Include.NON_NULL)
    static final class PreviewRow {
        @JsonProperty("image_id") public String imageId;
        @JsonProperty("image_name") public String imageName;
        @JsonProperty("vul_id") public String vulId;
        @JsonProperty("vul_name") public String vulName;
    }

    static final class Preview extends SdkResponse {
        @JsonProperty("total_vul_num") public Integer totalVulNum;
        @JsonProperty("vul_num") public Integer vulNum;
        @JsonProperty("image_num") public Integer imageNum;
        @JsonProperty("data_list") public List<PreviewRow> dataList;
    }

    @JsonInclude(JsonInclude.Include.NON_NULL)
    static final class HistoryRow {
        @JsonProperty("image_id") public String imageId;
        @JsonProperty("image_name") public String imageName;
        @JsonProperty("user_name") public String userName;
        @JsonProperty("handle_time") public Long handleTime;
        @JsonProperty("handle_type") public String handleType;
        @JsonProperty("status") public String status;
        @JsonProperty("app_name") public String appName;
        @JsonProperty("app_version") public String appVersion;
        @JsonProperty("app_path") public String appPath;
        @JsonProperty("remark") public String remark;
        @JsonProperty("image_digest") public String imageDigest;
        @JsonProperty("image_version") public String imageVersion;
        @JsonProperty("agent_id") public String agentId;
    }

    static final class History extends SdkResponse {
        @JsonProperty("total_num") public Integer totalNum;
        @JsonProperty("data_list") public List<HistoryRow> dataList;
    }

    private static final String ROOT = "/v5/{project_id}/image/vulnerability/";
    private static final FieldExistence MANDATORY = FieldExistence.NON_NULL_NON_EMPTY;
    private static final FieldExistence OPTIONAL = FieldExistence.NULL_IGNORE;

    private static <Q, R> HttpRequestDef.Builder<Q, R> describe(
            HttpMethod method, String name, String path, Class<Q> request, Class<R> response) {
        return HttpRequestDef.builder(method, request, response)
                .withName(name).withUri(ROOT + path).withContentType("application/json");
    }

    private static <Q, R, T> void query(HttpRequestDef.Builder<Q, R> call, String name,
            FieldExistence existence, Class<T> type, Function<Q, T> read) {
        call.withRequestField(name, LocationType.Query, existence, type, f -> f.withReader(read));
    }

    private static <R> void operation(HttpRequestDef.Builder<Operation, R> call) {
        query(call, "enterprise_project_id", OPTIONAL, String.class, r -> r.enterpriseProjectId);
        call.withRequestField("body", LocationType.Body, OPTIONAL, Body.class,
                f -> f.withReader(r -> r.body));
    }

    private static HttpRequestDef<Operation, Handled> describeHandle() {
        HttpRequestDef.Builder<Operation, Handled> call = describe(HttpMethod.POST,
                "HandleImageVulnerability", "handle", Operation.class, Handled.class);
        operation(call);
        return call.build();
    }

    private static HttpRequestDef<Operation, Preview> describePreview() {
        HttpRequestDef.Builder<Operation, Preview> call = describe(HttpMethod.POST,
                "ListImageHandleAffectVulnerabilities", "handle-affect-vulnerabilities",
                Operation.class, Preview.class);
        operation(call);
        query(call, "offset", OPTIONAL, Integer.class, r -> r.offset);
        query(call, "limit", OPTIONAL, Integer.class, r -> r.limit);
        query(call, "image_name", OPTIONAL, String.class, r -> r.imageName);
        query(call, "vul_name", OPTIONAL, String.class, r -> r.vulName);
        return call.build();
    }

    private static HttpRequestDef<Query, History> describeHistory() {
        HttpRequestDef.Builder<Query, History> call = describe(HttpMethod.GET,
                "ListGeneralImageVulOperations", "handle-history", Query.class, History.class);
        query(call, "enterprise_project_id", OPTIONAL, String.class, r -> r.enterpriseProjectId);
        query(call, "offset", OPTIONAL, Integer.class, r -> r.offset);
        query(call, "limit", OPTIONAL, Integer.class, r -> r.limit);
        query(call, "vul_id", MANDATORY, String.class, r -> r.vulId);
        query(call, "image_id", OPTIONAL, String.class, r -> r.imageId);
        query(call, "image_type", MANDATORY, String.class, r -> r.imageType);
        query(call, "image_name", OPTIONAL, String.class, r -> r.imageName);
        query(call, "status", OPTIONAL, String.class, r -> r.status);
        query(call, "user_name", OPTIONAL, String.class, r -> r.userName);
        query(call, "handle_type", OPTIONAL, String.class, r -> r.handleType);
        query(call, "app_name", OPTIONAL, String.class, r -> r.appName);
        query(call, "app_version", OPTIONAL, String.class, r -> r.appVersion);
        query(call, "remark", OPTIONAL, String.class, r -> r.remark);
        return call.build();
    }

    static final HttpRequestDef<Operation, Handled> HANDLE = describeHandle();
    static final HttpRequestDef<Operation, Preview> PREVIEW = describePreview();
    static final HttpRequestDef<Query, History> HISTORY = describeHistory();

    private Decisions() {
    }
}
