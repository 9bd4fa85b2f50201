// SPDX-License-Identifier: Apache-2.0

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.huaweicloud.sdk.core.HcClient;
import com.huaweicloud.sdk.core.SdkResponse;
import com.huaweicloud.sdk.core.http.FieldExistence;
import com.huaweicloud.sdk.core.http.HttpMethod;
import com.huaweicloud.sdk.core.http.HttpRequestDef;
import com.huaweicloud.sdk.core.http.LocationType;
import com.huaweicloud.sdk.hss.v5.HssClient;

import java.util.List;

/**
 * ListVulAffectImages as the SDK's core wants a call described. The HSS package that this is built
 * with may be older than the call: the core's signer, strict decoder and error parser are what is
 * tested.
 */
final class AffectedImages extends HssClient {
    static final class Request {
        @JsonProperty("enterprise_project_id") public String enterpriseProjectId;
        @JsonProperty("offset") public Integer offset;
        @JsonProperty("limit") public Integer limit;
        @JsonProperty("is_handled") public Boolean isHandled;
        @JsonProperty("vul_id") public String vulId;
        @JsonProperty("type") public String type;
        @JsonProperty("image_type") public String imageType;
        @JsonProperty("repair_necessity") public String repairNecessity;
        @JsonProperty("image_id") public String imageId;
        @JsonProperty("image_name") public String imageName;
        @JsonProperty("registry_name") public String registryName;
        @JsonProperty("registry_type") public String registryType;
        @JsonProperty("status") public String status;
        @JsonProperty("cluster_id") public String clusterId;
    }

    static final class Response extends SdkResponse {
        @JsonProperty("total_num") public Integer totalNum;
        @JsonProperty("data_list") public List<Row> dataList;
    }

    @JsonInclude(JsonInclude.Include.NON_NULL)
    static final class Row {
        @JsonProperty("image_id") public String imageId;
        @JsonProperty("image_name") public String imageName;
        @JsonProperty("vul_id") public String vulId;
        @JsonProperty("repair_necessity") public String repairNecessity;
        @JsonProperty("container_num") public Integer containerNum;
        @JsonProperty("image_digest") public String imageDigest;
        @JsonProperty("image_version") public String imageVersion;
        @JsonProperty("agent_id") public String agentId;
        @JsonProperty("status") public String status;
        @JsonProperty("first_scan_time") public String firstScanTime;
        @JsonProperty("latest_scan_time") public String latestScanTime;
        @JsonProperty("image_type") public String imageType;
        @JsonProperty("image_size") public String imageSize;
        @JsonProperty("organization") public String organization;
        @JsonProperty("registry_type") public String registryType;
        @JsonProperty("registry_name") public String registryName;
        @JsonProperty("is_multi_arch") public String isMultiArch;
        @JsonProperty("cluster_id") public String clusterId;
        @JsonProperty("cluster_name") public String clusterName;
    }

    private static final FieldExistence MANDATORY = FieldExistence.NON_NULL_NON_EMPTY;
    private static final FieldExistence OPTIONAL = FieldExistence.NULL_IGNORE;

    private static <T> void query(HttpRequestDef.Builder<Request, Response> call, String name,
            FieldExistence existence, Class<T> type, java.util.function.Function<Request, T> read) {
        call.withRequestField(name, LocationType.Query, existence, type, f -> f.withReader(read));
    }

    private static HttpRequestDef<Request, Response> describe() {
        HttpRequestDef.Builder<Request, Response> call =
                HttpRequestDef.builder(HttpMethod.GET, Request.class, Response.class)
                        .withName("ListVulAffectImages")
                        .withUri("/v5/{project_id}/vulnerability/images")
                        .withContentType("application/json");
        query(call, "enterprise_project_id", OPTIONAL, String.class, r -> r.enterpriseProjectId);
        query(call, "offset", OPTIONAL, Integer.class, r -> r.offset);
        query(call, "limit", OPTIONAL, Integer.class, r -> r.limit);
        query(call, "is_handled", MANDATORY, Boolean.class, r -> r.isHandled);
        query(call, "vul_id", MANDATORY, String.class, r -> r.vulId);
        query(call, "type", MANDATORY, String.class, r -> r.type);
        query(call, "image_type", MANDATORY, String.class, r -> r.imageType);
        query(call, "repair_necessity", OPTIONAL, String.class, r -> r.repairNecessity);
        query(call, "image_id", OPTIONAL, String.class, r -> r.imageId);
        query(call, "image_name", OPTIONAL, String.class, r -> r.imageName);
        query(call, "registry_name", OPTIONAL, String.class, r -> r.registryName);
        query(call, "registry_type", OPTIONAL, String.class, r -> r.registryType);
        query(call, "status", OPTIONAL, String.class, r -> r.status);
        query(call, "cluster_id", OPTIONAL, String.class, r -> r.clusterId);
        return call.build();
    }

    private static final HttpRequestDef<Request, Response> CALL = describe();

    AffectedImages(HcClient client) {
        super(client);
    }

    Response list(Request request) {
        return hcClient.syncInvokeHttp(request, CALL);
    }

    Decisions.Handled handle(Decisions.Operation request) {
        return hcClient.syncInvokeHttp(request, Decisions.HANDLE);
    }

    Decisions.Preview preview(Decisions.Operation request) {
        return hcClient.syncInvokeHttp(request, Decisions.PREVIEW);
    }

    Decisions.History history(Decisions.Query request) {
        return hcClient.syncInvokeHttp(request, Decisions.HISTORY);
    }
}
