// SPDX-License-Identifier: Apache-2.0

// Carries out cases with the Go SDK: see tests/e2e/sdk_cases.py for cases and outcomes.
package main

import (
	"bytes"
	"encoding/json"
	"log"
	"os"

	core "github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/global"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/signer/algorithm"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/region"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/sdkerr"
	hss "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/hss/v5"
	hssmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/hss/v5/model"
	iam "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/iam/v3"
	iammodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/iam/v3/model"
)

// Case is what to ask, and of whom. It is comparable once its parameters are left out.
type Case struct {
	Settings
	Call       string          `json:"call"`
	Parameters json.RawMessage `json:"parameters"`
}

// Settings are what a client is configured with.
type Settings struct {
	Endpoint      string `json:"endpoint"`
	Ak            string `json:"ak"`
	Sk            string `json:"sk"`
	Project       string `json:"project"`
	Region        string `json:"region"`
	Iam           string `json:"iam"`
	SecurityToken string `json:"security_token"`
	Derived       bool   `json:"derived"`
	Sm3           bool   `json:"sm3"`
}

// Outcome is the line printed for a case.
type Outcome struct {
	TotalNum *int32   `json:"total_num,omitempty"`
	Totals   []*int32 `json:"totals,omitempty"`
	Done     int      `json:"done,omitempty"`
	Rows     any      `json:"rows,omitempty"`
	Token    any      `json:"token,omitempty"`
	Error    *Failure `json:"error,omitempty"`
	Refused  string   `json:"refused,omitempty"`
}

// Failure is the SDK's exception.
type Failure struct {
	Status    int    `json:"status"`
	Code      string `json:"code"`
	Message   string `json:"message"`
	RequestId string `json:"request_id"`
}

var clients = map[Settings]*core.HcHttpClient{}

func makeClient(s Settings) (*core.HcHttpClient, error) {
	credentials := basic.NewCredentialsBuilder().WithAk(s.Ak).WithSk(s.Sk).WithProjectId(s.Project)
	if s.Iam != "" {
		credentials.WithIamEndpointOverride(s.Iam)
	}
	if s.SecurityToken != "" {
		credentials.WithSecurityToken(s.SecurityToken)
	}
	builder := hss.HssClientBuilder()
	if s.Derived {
		credentials.WithDerivedPredicate(basic.DefaultDerivedPredicate)
		builder.WithDerivedAuthServiceName("hss")
	}
	if s.Region != "" {
		builder.WithRegion(region.NewRegion(s.Region, s.Endpoint))
	} else {
		builder.WithEndpoints([]string{s.Endpoint})
	}
	if s.Sm3 {
		builder.WithHttpConfig(config.DefaultHttpConfig().WithSigningAlgorithm(algorithm.HmacSM3))
	}
	made, err := credentials.SafeBuild()
	if err != nil {
		return nil, err
	}
	return builder.WithCredential(made).SafeBuild()
}

func makeIamClient(s Settings) (*core.HcHttpClient, error) {
	credentials := global.NewCredentialsBuilder().WithAk(s.Ak).WithSk(s.Sk).WithDomainId("any")
	made, err := credentials.SafeBuild()
	if err != nil {
		return nil, err
	}
	builder := iam.IamClientBuilder().WithEndpoints([]string{s.Endpoint})
	return builder.WithCredential(made).SafeBuild()
}

// The parameters must be those of the SDK's request object, in their types.
func decode(parameters json.RawMessage, request any) {
	decoder := json.NewDecoder(bytes.NewReader(parameters))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(request); err != nil {
		log.Fatalf("%s: %v", parameters, err)
	}
}

func ask(c Case) (Outcome, error) {
	if c.Call == "token" {
		client, err := makeIamClient(c.Settings)
		if err != nil {
			return Outcome{}, err
		}
		request := &iammodel.KeystoneCreateUserTokenByPasswordRequest{}
		decode(c.Parameters, request)
		token, err := iam.NewIamClient(client).KeystoneCreateUserTokenByPassword(request)
		return Outcome{Token: token}, err
	}
	client, known := clients[c.Settings]
	if !known {
		made, err := makeClient(c.Settings)
		if err != nil {
			return Outcome{}, err
		}
		client, clients[c.Settings] = made, made
	}
	return askHss(hss.NewHssClient(client), c)
}

func askHss(client *hss.HssClient, c Case) (Outcome, error) {
	switch c.Call {
	case "hosts":
		_, err := client.ListHostStatus(&hssmodel.ListHostStatusRequest{})
		return Outcome{}, err
	case "handle":
		request := &hssmodel.HandleImageVulnerabilityRequest{}
		decode(c.Parameters, request)
		response, err := client.HandleImageVulnerability(request)
		if err != nil {
			return Outcome{}, err
		}
		return Outcome{Done: response.HttpStatusCode}, nil
	case "preview":
		request := &hssmodel.ListImageHandleAffectVulnerabilitiesRequest{}
		decode(c.Parameters, request)
		response, err := client.ListImageHandleAffectVulnerabilities(request)
		if err != nil {
			return Outcome{}, err
		}
		totals := []*int32{response.TotalVulNum, response.VulNum, response.ImageNum}
		return Outcome{Totals: totals, Rows: response.DataList}, nil
	case "history":
		request := &hssmodel.ListGeneralImageVulOperationsRequest{}
		decode(c.Parameters, request)
		response, err := client.ListGeneralImageVulOperations(request)
		if err != nil {
			return Outcome{}, err
		}
		return Outcome{TotalNum: response.TotalNum, Rows: response.DataList}, nil
	}
	request := &hssmodel.ListVulAffectImagesRequest{}
	decode(c.Parameters, request)
	response, err := client.ListVulAffectImages(request)
	if err != nil {
		return Outcome{}, err
	}
	return Outcome{TotalNum: response.TotalNum, Rows: response.DataList}, nil
}

func outcome(c Case) Outcome {
	answer, err := ask(c)
	if err == nil {
		return answer
	}
	if e, ok := err.(*sdkerr.ServiceResponseError); ok {
		return Outcome{Error: &Failure{e.StatusCode, e.ErrorCode, e.ErrorMessage, e.RequestId}}
	}
	return Outcome{Refused: err.Error()}
}

func main() {
	var cases []Case
	if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil {
		log.Fatal(err)
	}
	out := json.NewEncoder(os.Stdout)
	for _, one := range cases {
		if err := out.Encode(outcome(one)); err != nil {
			log.Fatal(err)
		}
	}
}
