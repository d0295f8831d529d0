//! The JSON of requests and answers: AWS JSON 1.1.
//!
//! Only the needed fields of an answer are parsed. Servers that imitate AWS write dates in forms of their own, and
//! dates are not needed.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_types::body::SdkBody;
use secretdir_provider::Secret;
use serde::{Deserialize, Deserializer, Serialize};

use super::Ask;
use super::refusal::Refusal;

/// A request for parameters by name.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetParameters {
    pub(crate) names: Vec<String>,
    pub(crate) with_decryption: bool,
}

/// A request for a page of the parameters below a level.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetParametersByPath {
    pub(crate) path: String,
    pub(crate) recursive: bool,
    pub(crate) with_decryption: bool,
    pub(crate) max_results: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_token: Option<String>,
}

/// The answer with the parameters that were requested by name.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Found {
    pub(crate) parameters: Option<Vec<Parameter>>,
    pub(crate) invalid_parameters: Option<Vec<String>>,
}

/// One parameter.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Parameter {
    pub(crate) name: Option<String>,
    #[serde(rename = "ARN")]
    pub(crate) arn: Option<String>,
    pub(crate) version: Option<i64>,
    pub(crate) selector: Option<String>,
    #[serde(default, deserialize_with = "secret")]
    pub(crate) value: Option<Secret>,
}

/// A page of the parameters below a level. Their values are skipped.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Listed {
    pub(crate) parameters: Option<Vec<Named>>,
    pub(crate) next_token: Option<String>,
}

/// The name of a parameter.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Named {
    pub(crate) name: Option<String>,
}

impl Ask for GetParameters {
    const NAME: &'static str = "GetParameters";
    type Answer = Found;
}

impl Ask for GetParametersByPath {
    const NAME: &'static str = "GetParametersByPath";
    type Answer = Listed;
}

/// Moves a text into a secret. It is wiped even if the rest of the answer cannot be parsed.
fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(Secret::new))
}

/// Encodes a request.
pub(super) fn request<A: Ask>(question: &A) -> Result<HttpRequest, BoxError> {
    let body = serde_json::to_vec(question)?;
    let length = body.len().to_string();
    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_method("POST")?;
    request.set_uri("/")?;
    let headers = request.headers_mut();
    headers.insert("content-type", "application/x-amz-json-1.1");
    headers.insert("content-length", length);
    headers.insert("x-amz-target", format!("AmazonSSM.{}", A::NAME));
    Ok(request)
}

/// Parses an answer. The parser's error message may quote the answer, and is dropped.
pub(super) fn answer<A: Ask>(response: &HttpResponse) -> Result<A::Answer, OrchestratorError<Refusal>> {
    let body = response.body().bytes().unwrap_or_default();
    if !response.status().is_success() {
        return Err(OrchestratorError::operation(Refusal::read(response.headers(), body)));
    }
    serde_json::from_slice(body).map_err(|_| OrchestratorError::other("the answer cannot be read"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<A: Ask>(body: &str) -> Result<A::Answer, OrchestratorError<Refusal>> {
        answer::<A>(&HttpResponse::new(200.try_into().unwrap(), SdkBody::from(body)))
    }

    #[test]
    fn a_request_is_written_as_the_sdk_writes_it() {
        let question = GetParameters { names: vec!["/a".into(), "b:3".into()], with_decryption: true };
        let sent = request(&question).unwrap();
        assert_eq!((sent.method(), sent.uri()), ("POST", "/"));
        let expected = r#"{"Names":["/a","b:3"],"WithDecryption":true}"#;
        assert_eq!(sent.body().bytes(), Some(expected.as_bytes()));
        let headers: Vec<_> = sent.headers().iter().collect();
        assert_eq!(headers.len(), 3);
        assert!(headers.contains(&("content-type", "application/x-amz-json-1.1")));
        assert!(headers.contains(&("content-length", &*expected.len().to_string())));
        assert!(headers.contains(&("x-amz-target", "AmazonSSM.GetParameters")));

        let mut question = GetParametersByPath {
            path: "/".into(),
            recursive: true,
            with_decryption: false,
            max_results: 10,
            next_token: None,
        };
        let body =
            |question: &_| String::from_utf8(request(question).unwrap().body().bytes().unwrap().into());
        let expected = r#"{"Path":"/","Recursive":true,"WithDecryption":false,"MaxResults":10}"#;
        assert_eq!(body(&question).unwrap(), expected);
        question.next_token = Some("t".into());
        assert!(body(&question).unwrap().ends_with(r#","NextToken":"t"}"#));
    }

    #[test]
    fn what_is_not_needed_is_not_read_and_null_is_nothing() {
        let found = read::<GetParameters>(
            r#"{"Parameters":[{"Name":"/a","ARN":null,"Version":3,"Value":"\u00e9","LastModifiedDate":"2026-11-29T10:00:00Z",
            "DataType":7,"New":[{}]},{"LastModifiedDate":1.7e9,"Value":null}],"InvalidParameters":null,"More":1}"#,
        );
        let found = found.unwrap();
        assert!(found.invalid_parameters.is_none());
        let [first, second] = &found.parameters.unwrap()[..] else { panic!() };
        assert_eq!(first.value.as_ref().unwrap().expose_secret(), "é".as_bytes());
        assert_eq!((first.name.as_deref(), first.version, &first.arn), (Some("/a"), Some(3), &None));
        assert!(second.value.is_none() && second.version.is_none());
        assert!(!format!("{first:?}").contains('é'));

        let listed = read::<GetParametersByPath>(r#"{"Parameters":[{"Name":"/a","Value":7}]}"#).unwrap();
        assert_eq!(listed.parameters.unwrap()[0].name.as_deref(), Some("/a"));
        assert!(listed.next_token.is_none());
    }
}
