//! The parts of the SDK's runtime that make a call. The generated code of every AWS service combines them in this way.
//!
//! This follows `src/config.rs` and `src/operation/get_secret_value.rs` of `aws-sdk-secretsmanager`: compare it with
//! them when the SDK is updated. It leaves out only the parts for programs that collect metrics of the SDK.

use aws_config::SdkConfig;
use aws_config::retry::RetryMode;
use aws_runtime::auth::sigv4::{self, SigV4AuthScheme};
use aws_runtime::auth::{SigV4OperationSigningConfig, SigningOptions};
use aws_runtime::invocation_id::InvocationIdInterceptor;
use aws_runtime::recursion_detection::RecursionDetectionInterceptor;
use aws_runtime::request_info::RequestInfoInterceptor;
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_runtime::sdk_feature::AwsSdkFeature;
use aws_runtime::service_clock_skew::{
    DisableClockSkewCorrection, ServiceClockSkewClassifier, ServiceClockSkewInterceptor,
};
use aws_runtime::user_agent::{ApiMetadata, UserAgentInterceptor};
use aws_smithy_runtime::client::http::connection_poisoning::ConnectionPoisoningInterceptor;
use aws_smithy_runtime::client::retries::RetryPartition;
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime::client::retries::strategy::StandardRetryStrategy;
use aws_smithy_runtime::client::sdk_feature::SmithySdkFeature;
use aws_smithy_runtime::client::stalled_stream_protection::StalledStreamProtectionInterceptor;
use aws_smithy_runtime_api::client::auth::AuthSchemeOptionResolverParams;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::endpoint::EndpointResolverParams;
use aws_smithy_runtime_api::client::orchestrator::SensitiveOutput;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::config_bag::Layer;
use aws_types::SigningName;
use aws_types::region::SigningRegion;
use secretdir_provider::Deadline;

use super::endpoint::{self, RegionalEndpoint};
use super::refusal::Refusal;
use crate::attempts::Attempts;
use crate::region_clients::timeouts;

/// The SDK's name for the service.
pub(super) const SERVICE: &str = "SSM";

/// Returns the parts that all calls to a region share: identity, signature, endpoint, retries, and the clock of the service.
pub(super) fn of_region(config: &SdkConfig, endpoint_url: Option<String>) -> StaticRuntimePlugin {
    let endpoint_url = endpoint_url.or_else(|| endpoint::configured(config));
    let mut layer = Layer::new("Parameter Store in a region");
    set_shared(&mut layer, config);
    set_own(&mut layer, config);
    if endpoint_url.is_some() {
        layer.store_append(AwsSdkFeature::EndpointOverride);
    }
    let components = RuntimeComponentsBuilder::new("Parameter Store in a region");
    let components = with_shared(components, config)
        .with_endpoint_resolver(Some(RegionalEndpoint::new(config, endpoint_url)))
        .with_auth_scheme_option_resolver(Some(StaticAuthSchemeOptionResolver::new(vec![sigv4::SCHEME_ID])))
        .with_auth_scheme(SigV4AuthScheme::new())
        .with_retry_strategy(Some(StandardRetryStrategy::new()));
    let components = with_classifiers(with_interceptors(components));
    StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(components)
}

/// Returns the parts of one call.
pub(super) fn of_call(until: &Deadline, attempts: &Attempts) -> StaticRuntimePlugin {
    let mut layer = Layer::new("a call to Parameter Store");
    layer.store_put(timeouts(until));
    let components = RuntimeComponentsBuilder::new("a call to Parameter Store")
        .with_interceptor(attempts.clone())
        .with_retry_classifier(attempts.clone());
    StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(components)
}

/// Sets the configuration that every service has.
fn set_shared(layer: &mut Layer, config: &SdkConfig) {
    layer.store_or_unset(config.region().cloned());
    layer.store_or_unset(config.region().cloned().map(SigningRegion::from));
    layer.store_or_unset(config.app_name().cloned());
    layer.store_or_unset(config.disable_clock_skew_correction().map(DisableClockSkewCorrection::from));
    if let Some(retries) = config.retry_config() {
        layer.store_put(retries.clone());
        layer.store_append(match retries.mode() {
            RetryMode::Adaptive => SmithySdkFeature::RetryModeAdaptive,
            _ => SmithySdkFeature::RetryModeStandard,
        });
    }
    if let Some(timeouts) = config.timeout_config() {
        layer.store_put(timeouts.clone());
    }
    if let Some(protection) = config.stalled_stream_protection() {
        layer.store_put(protection);
    }
    for metadata in config.framework_metadata() {
        layer.store_append(metadata.clone());
    }
}

/// Sets the configuration of this service.
fn set_own(layer: &mut Layer, config: &SdkConfig) {
    let region = config.region().map(ToString::to_string).unwrap_or_default();
    layer.store_put(RetryPartition::new(format!("ssm-{region}")));
    layer.store_put(ApiMetadata::new("ssm", env!("CARGO_PKG_VERSION")));
    layer.store_put(SigningName::from_static("ssm"));
    let mut signing_options = SigningOptions::default();
    signing_options.double_uri_encode = true;
    signing_options.content_sha256_header = false;
    signing_options.normalize_uri_path = true;
    layer.store_put(SigV4OperationSigningConfig { signing_options, ..Default::default() });
    // Answers are not logged.
    layer.store_put(SensitiveOutput);
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    layer.store_put(EndpointResolverParams::new(()));
}

fn with_shared(mut components: RuntimeComponentsBuilder, config: &SdkConfig) -> RuntimeComponentsBuilder {
    if let Some(credentials) = config.credentials_provider() {
        components.set_identity_resolver(sigv4::SCHEME_ID, credentials);
    }
    if let Some(cache) = config.identity_cache() {
        components.set_identity_cache(Some(cache));
    }
    components
        .with_http_client(config.http_client())
        .with_sleep_impl(config.sleep_impl())
        .with_time_source(config.time_source())
}

fn with_interceptors(components: RuntimeComponentsBuilder) -> RuntimeComponentsBuilder {
    components
        .with_interceptor(ConnectionPoisoningInterceptor::new())
        .with_interceptor(ServiceClockSkewInterceptor::new())
        .with_interceptor(RequestInfoInterceptor::new())
        .with_interceptor(UserAgentInterceptor::new())
        .with_interceptor(InvocationIdInterceptor::new())
        .with_interceptor(RecursionDetectionInterceptor::new())
        .with_interceptor(StalledStreamProtectionInterceptor::default())
}

fn with_classifiers(components: RuntimeComponentsBuilder) -> RuntimeComponentsBuilder {
    components
        .with_retry_classifier(HttpStatusCodeClassifier::default())
        .with_retry_classifier(TransientErrorClassifier::<Refusal>::new())
        .with_retry_classifier(AwsErrorCodeClassifier::<Refusal>::new())
        .with_retry_classifier(ServiceClockSkewClassifier::<Refusal>::new())
}
