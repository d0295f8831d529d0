//! The endpoint of Systems Manager in a region.
//!
//! Each SDK of AWS contains the partition of each region, and the domains of the partition. Here this data comes from
//! the SDK for OIDC of IAM Identity Center, which signing in with SSO needs anyway. Its rules differ from those of
//! Systems Manager only in the name of the service. The test compares them with a table that the real SDK of Systems
//! Manager has written. The rules of Secrets Manager do not fit. In the partitions aws and aws-us-gov, it has no names
//! under the suffix of dual-stack endpoints.

use aws_config::SdkConfig;
use aws_sdk_ssooidc::config::endpoint::{
    DefaultResolver, Endpoint, EndpointFuture, InvalidParams, Params, ResolveEndpoint as _,
};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::endpoint::{EndpointResolverParams, ResolveEndpoint};
use aws_types::service_config::ServiceConfigKey;

/// The beginning of an endpoint by the rules of OIDC, and by those of Systems Manager.
const OTHER: &str = "https://oidc";
const OWN: &str = "https://ssm";

/// The endpoint of one region.
#[derive(Debug)]
pub(super) struct RegionalEndpoint {
    rules: DefaultResolver,
    params: Result<Params, InvalidParams>,
}

impl RegionalEndpoint {
    pub(super) fn new(config: &SdkConfig, endpoint_url: Option<String>) -> Self {
        let params = Params::builder()
            .set_region(config.region().map(ToString::to_string))
            .set_use_fips(config.use_fips())
            .set_use_dual_stack(config.use_dual_stack())
            .set_endpoint(endpoint_url)
            .build();
        Self { rules: DefaultResolver::new(), params }
    }

    async fn resolve(&self) -> Result<Endpoint, BoxError> {
        let params = self.params.as_ref().map_err(ToString::to_string)?;
        let endpoint = self.rules.resolve_endpoint(params).await?;
        if params.endpoint().is_some() {
            return Ok(endpoint);
        }
        let rest = endpoint.url().strip_prefix(OTHER).ok_or("the rules for endpoints are not known here")?;
        let url = format!("{OWN}{rest}");
        Ok(endpoint.into_builder().url(url).build())
    }
}

impl ResolveEndpoint for RegionalEndpoint {
    fn resolve_endpoint<'a>(&'a self, _: &'a EndpointResolverParams) -> EndpointFuture<'a> {
        EndpointFuture::new(self.resolve())
    }
}

/// Returns the endpoint that the environment or the profile sets for this service, or for all services.
pub(super) fn configured(config: &SdkConfig) -> Option<String> {
    let for_all = || config.endpoint_url().map(str::to_owned);
    if config.get_origin("endpoint_url").is_client_config() {
        return for_all();
    }
    let key = ServiceConfigKey::builder().service_id("SSM").env("AWS_ENDPOINT_URL").profile("endpoint_url");
    let for_this = key.build().ok().and_then(|key| config.service_config()?.load_config(key));
    for_this.or_else(for_all)
}

#[cfg(test)]
mod tests {
    use aws_config::Region;

    use super::*;

    /// The answers of the resolver of aws-sdk-ssm 1.133.0: region, kind, endpoint.
    const TABLE: &str = include_str!("endpoints.txt");

    async fn endpoint(
        region: &str,
        fips: bool,
        dual_stack: bool,
        url: Option<&str>,
    ) -> Result<String, String> {
        let config = SdkConfig::builder().region(Region::new(region.to_owned()));
        let config = config.use_fips(fips).use_dual_stack(dual_stack).build();
        let endpoint = RegionalEndpoint::new(&config, url.map(str::to_owned));
        match endpoint.resolve().await {
            Ok(endpoint) => {
                assert!(endpoint.properties().is_empty() && endpoint.headers().next().is_none());
                Ok(endpoint.url().to_owned())
            }
            Err(error) => Err(error.to_string()),
        }
    }

    #[tokio::test]
    async fn every_region_has_the_endpoint_that_the_sdk_of_the_service_gives_it() {
        let mut rows = 0;
        for row in TABLE.lines() {
            let [region, kind, expected] = row.split(' ').collect::<Vec<_>>()[..] else { panic!("{row}") };
            let (fips, dual_stack) = match kind {
                "plain" => (false, false),
                "fips" => (true, false),
                "dual-stack" => (false, true),
                "fips+dual-stack" => (true, true),
                _ => panic!("{row}"),
            };
            assert_eq!(endpoint(region, fips, dual_stack, None).await.as_deref(), Ok(expected), "{row}");
            rows += 1;
        }
        assert_eq!(rows, 96);
    }

    #[tokio::test]
    async fn an_endpoint_that_is_given_is_taken_as_it_is() {
        for url in ["http://localhost:4566", "https://oidc.eu-west-1.amazonaws.com"] {
            assert_eq!(endpoint("eu-west-1", false, false, Some(url)).await.as_deref(), Ok(url));
            let refused = |error: &str| Err(format!("Invalid Configuration: {error} are not supported"));
            assert_eq!(
                endpoint("eu-west-1", true, false, Some(url)).await,
                refused("FIPS and custom endpoint")
            );
            assert_eq!(
                endpoint("eu-west-1", false, true, Some(url)).await,
                refused("Dualstack and custom endpoint")
            );
        }
    }

    #[tokio::test]
    async fn a_region_that_is_no_name_has_none() {
        let error = endpoint("a b", false, false, None).await.unwrap_err();
        assert_eq!(error, "invalid value for field: `region` - must be a valid host label");
    }
}
