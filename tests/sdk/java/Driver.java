// SPDX-License-Identifier: Apache-2.0

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.huaweicloud.sdk.core.ClientBuilder;
import com.huaweicloud.sdk.core.auth.AbstractCredentials;
import com.huaweicloud.sdk.core.auth.BasicCredentials;
import com.huaweicloud.sdk.core.auth.SigningAlgorithm;
import com.huaweicloud.sdk.core.exception.SdkException;
import com.huaweicloud.sdk.core.exception.ServiceResponseException;
import com.huaweicloud.sdk.core.http.HttpConfig;
import com.huaweicloud.sdk.core.region.Region;
import com.huaweicloud.sdk.core.utils.JsonUtils;
import com.huaweicloud.sdk.hss.v5.model.ListHostStatusRequest;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Carries out cases with the Java SDK: see tests/e2e/sdk_cases.py for cases and outcomes. */
final class Driver {
    static final class Case {
        @JsonProperty("endpoint") public String endpoint;
        @JsonProperty("ak") public String ak;
        @JsonProperty("sk") public String sk;
        @JsonProperty("project") public String project;
        @JsonProperty("region") public String region;
        @JsonProperty("iam") public String iam;
        @JsonProperty("security_token") public String securityToken;
        @JsonProperty("derived") public boolean derived;
        @JsonProperty("sm3") public boolean sm3;
        @JsonProperty("unchecked") public boolean unchecked;
        @JsonProperty("call") public String call;
        @JsonProperty("parameters") public JsonNode parameters;

        /** Everything that a client is configured with. */
        List<Object> settings() {
            return java.util.Arrays.asList(
                    endpoint, ak, sk, project, region, iam, securityToken, derived, sm3, unchecked);
        }
    }

    private static final Map<List<Object>, AffectedImages> clients = new HashMap<>();

    private static AffectedImages makeClient(Case c) {
        BasicCredentials credentials =
                new BasicCredentials().withAk(c.ak).withSk(c.sk).withProjectId(c.project);
        HttpConfig config = HttpConfig.getDefaultHttpConfig();
        ClientBuilder<AffectedImages> builder = new ClientBuilder<>(AffectedImages::new);

        if (c.iam != null) {
            credentials.withIamEndpoint(c.iam);
        }
        if (c.securityToken != null) {
            credentials.withSecurityToken(c.securityToken);
        }
        if (c.derived) {
            credentials.withDerivedPredicate(AbstractCredentials.DEFAULT_DERIVED_PREDICATE);
            builder.withDerivedAuthServiceName("hss");
        }
        if (c.sm3) {
            config.withSigningAlgorithm(SigningAlgorithm.HMAC_SM3);
        }
        if (c.unchecked) {
            config.withIgnoreRequiredValidation(true);
        }
        if (c.region != null) {
            builder.withRegion(new Region(c.region, c.endpoint));
        } else {
            builder.withEndpoint(c.endpoint);
        }
        return builder.withCredential(credentials).withHttpConfig(config).build();
    }

    private static AffectedImages clientFor(Case c) {
        return clients.computeIfAbsent(c.settings(), key -> makeClient(c));
    }

    /** The parameters must be those of the request object, in their types. */
    private static <T> T read(Case c, Class<T> type) {
        return JsonUtils.toObject(c.parameters.toString(), type);
    }

    private static Map<String, Object> ask(Case c) {
        Map<String, Object> outcome = new LinkedHashMap<>();

        if ("hosts".equals(c.call)) {
            clientFor(c).listHostStatus(new ListHostStatusRequest());
            return outcome;
        }
        if ("handle".equals(c.call)) {
            Decisions.Handled handled = clientFor(c).handle(read(c, Decisions.Operation.class));
            outcome.put("done", handled.getHttpStatusCode());
        } else if ("preview".equals(c.call)) {
            Decisions.Preview preview = clientFor(c).preview(read(c, Decisions.Operation.class));
            outcome.put("totals", java.util.Arrays.asList(
                    preview.totalVulNum, preview.vulNum, preview.imageNum));
            outcome.put("rows", preview.dataList);
        } else if ("history".equals(c.call)) {
            Decisions.History history = clientFor(c).history(read(c, Decisions.Query.class));
            outcome.put("total_num", history.totalNum);
            outcome.put("rows", history.dataList);
        } else {
            AffectedImages.Response response =
                    clientFor(c).list(read(c, AffectedImages.Request.class));
            outcome.put("total_num", response.totalNum);
            outcome.put("rows", response.dataList);
        }
        return outcome;
    }

    private static Map<String, Object> outcome(Case c) {
        Map<String, Object> outcome = new LinkedHashMap<>();

        try {
            return ask(c);
        } catch (ServiceResponseException e) {
            Map<String, Object> error = new LinkedHashMap<>();
            error.put("kind", e.getClass().getSimpleName());
            error.put("status", e.getHttpStatusCode());
            error.put("code", e.getErrorCode());
            error.put("message", e.getErrorMsg());
            error.put("request_id", e.getRequestId());
            outcome.put("error", error);
        } catch (SdkException | IllegalArgumentException e) {
            outcome.put("refused", String.valueOf(e.getMessage()));
        }
        return outcome;
    }

    public static void main(String[] arguments) throws Exception {
        String input = new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
        PrintStream out = new PrintStream(System.out, false, "UTF-8");

        for (Case c : JsonUtils.toObject(input, new TypeReference<List<Case>>() { })) {
            out.println(JsonUtils.toJSON(outcome(c)));
        }
        out.flush();
        System.exit(0);
    }
}
