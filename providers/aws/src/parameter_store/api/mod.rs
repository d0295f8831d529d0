//! The API of Parameter Store: the two operations that are needed, without a generated SDK.
//!
//! `aws-sdk-ssm` has 152 operations. It took a fifth of the CPU time of a clean build, and four times the memory of any
//! other crate. What it generates for one operation is little. It encodes requests and parses answers ([`json`]), and
//! lists the parts of the SDK's runtime that make a call ([`runtime`]). That runtime signs, retries, waits and corrects
//! the clock, as for any generated SDK.

mod endpoint;
mod json;
mod refusal;
mod runtime;

use std::fmt::Debug;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_secretsmanager::error::SdkError;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::runtime_plugin::SharedRuntimePlugin;
use secretdir_provider::Deadline;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(super) use self::json::{GetParameters, GetParametersByPath, Parameter};
use self::refusal::Refusal;
use crate::attempts::Attempts;

/// An operation: its request, and the type of its answer.
pub(super) trait Ask: Serialize + Debug + Send + Sync + 'static {
    const NAME: &'static str;
    type Answer: DeserializeOwned + Debug + Send + Sync + 'static;
}

/// The client of one region.
#[derive(Clone, Debug)]
pub(super) struct Client {
    behavior: BehaviorVersion,
    region: SharedRuntimePlugin,
}

impl Client {
    /// Takes the configuration and, if the settings name one, the endpoint.
    pub(super) fn new(config: &SdkConfig, endpoint_url: Option<String>) -> Self {
        Self {
            behavior: config.behavior_version().unwrap_or_else(BehaviorVersion::latest),
            region: SharedRuntimePlugin::new(runtime::of_region(config, endpoint_url)),
        }
    }

    /// Makes a call, which ends by `until`, retries included.
    pub(super) async fn ask<A: Ask>(
        &self,
        question: A,
        until: &Deadline,
        attempts: &Attempts,
    ) -> Result<A::Answer, SdkError<Refusal>> {
        let operation = Operation::builder()
            .service_name(runtime::SERVICE)
            .operation_name(A::NAME)
            .behavior_version(self.behavior)
            .runtime_plugin(self.region.clone())
            .runtime_plugin(runtime::of_call(until, attempts))
            .serializer(|question: A| json::request(&question))
            .deserializer(json::answer::<A>)
            .build();
        operation.invoke(question).await
    }
}
