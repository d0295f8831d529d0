//! Parses answers whose dates are texts. Some servers that imitate AWS write them so, and the SDK then refuses the
//! whole answer.
//!
//! An answer is parsed again, without such dates, only if it was refused and has some. Only a hint depends on a date,
//! and then it has none.

use std::ops::Range;

use aws_sdk_secretsmanager::config::interceptors::FinalizerInterceptorContextMut;
use aws_sdk_secretsmanager::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_secretsmanager::error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::Output;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::ser_de::{DeserializeResponse as _, SharedResponseDeserializer};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use zeroize::Zeroizing;

/// Parses refused answers again, if they have dates as texts.
#[derive(Debug)]
pub(super) struct TextDates;

impl Intercept for TextDates {
    fn name(&self) -> &'static str {
        "dates as texts"
    }

    fn modify_before_attempt_completion(
        &self,
        context: &mut FinalizerInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(output) = read_again(context, cfg)
            && let Some(refused) = context.output_or_error_mut()
        {
            *refused = Ok(output);
        }
        Ok(())
    }
}

fn read_again(context: &FinalizerInterceptorContextMut<'_>, cfg: &ConfigBag) -> Option<Output> {
    let was_refused = matches!(context.output_or_error(), Some(Err(_)));
    let response = context.response().filter(|response| was_refused && response.status().is_success())?;
    let body = without_text_dates(response.body().bytes()?)?;
    let mut copy = HttpResponse::new(response.status(), SdkBody::from(Bytes::from_owner(body)));
    *copy.headers_mut() = response.headers().clone();
    cfg.load::<SharedResponseDeserializer>()?.deserialize_nonstreaming_with_config(&copy, cfg).ok()
}

/// Returns the JSON with `null` in place of dates that are texts, if it has any. The copy holds the values, and is wiped.
fn without_text_dates(json: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    const NULL: &[u8] = b"null";
    let dates = text_dates(json);
    dates.first()?;
    let mut copy = Zeroizing::new(Vec::with_capacity(json.len() + dates.len() * NULL.len()));
    let mut end = 0;
    for date in dates {
        copy.extend_from_slice(json.get(end..date.start)?);
        copy.extend_from_slice(NULL);
        end = date.end;
    }
    copy.extend_from_slice(json.get(end..)?);
    Some(copy)
}

/// Finds the texts that are values of a key that ends in `Date`. The ranges include the quotation marks.
fn text_dates(json: &[u8]) -> Vec<Range<usize>> {
    let mut dates = Vec::new();
    let (mut end, mut is_after_key) = (0, false);
    while let Some(text) = next_text(json, end) {
        let between = json.get(end..text.start).unwrap_or_default();
        end = text.end;
        let is_key = json.get(text.clone()).is_some_and(|text| text.ends_with(b"Date\""));
        if is_after_key && between.trim_ascii() == b":" {
            dates.push(text);
        }
        is_after_key = is_key;
    }
    dates
}

fn next_text(json: &[u8], from: usize) -> Option<Range<usize>> {
    let start = from + json.get(from..)?.iter().position(|byte| *byte == b'"')?;
    let mut is_escaped = false;
    let length = json.get(start + 1..)?.iter().position(|byte| {
        let is_end = *byte == b'"' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        is_end
    })?;
    Some(start..start + length + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without(json: &str) -> Option<String> {
        without_text_dates(json.as_bytes()).map(|copy| String::from_utf8(copy.to_vec()).unwrap())
    }

    #[test]
    fn texts_are_taken_out_wherever_they_are() {
        let json = r#"{"CreatedDate":"2026-11-29T10:00:00Z","List":[{"DeletedDate" : "","Name":"Date"}],"LastDate":"\"\\"}"#;
        let expected =
            r#"{"CreatedDate":null,"List":[{"DeletedDate" : null,"Name":"Date"}],"LastDate":null}"#;
        assert_eq!(without(json).as_deref(), Some(expected));
    }

    #[test]
    fn everything_else_stays() {
        for json in [
            "",
            "{}",
            r#"{"CreatedDate":1.7e9,"Name":"a"}"#,
            r#"{"CreatedDate":null}"#,
            r#"{"SecretString":"{\"CreatedDate\":\"2026\"}"}"#,
            r#"{"SecretString":"CreatedDate","Name":"b"}"#,
            r#"["CreatedDate","b"]"#,
            r#"{"Dates":"2026","CreatedDate":["2026"]}"#,
            r#"{"CreatedDate":"cut off"#,
            r#"{"CreatedDate":"cut off\"#,
        ] {
            assert_eq!(without(json), None, "{json}");
        }
    }

    #[test]
    fn the_copy_is_not_moved_as_it_grows() {
        let json = r#"{"ADate":"","BDate":"","CDate":""}"#;
        let copy = without_text_dates(json.as_bytes()).unwrap();
        assert!(copy.capacity() >= json.len() + 12 && copy.len() == json.len() + 6);
    }
}
