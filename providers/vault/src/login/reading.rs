//! Turns the settings of a login into a login.

use secretdir_provider::{Credential, CredentialSettings, KeyPath, Settings, SettingsError};

use super::{Given, Jwt, Login, SERVICE_ACCOUNT, SecretId};
use crate::settings::{AuthSettings, Method};

/// Reads the settings of one method.
pub(super) struct Reading<'r> {
    pub(super) settings: &'r Settings,
    pub(super) auth: &'r AuthSettings,
}

impl Reading<'_> {
    pub(super) fn login(&self) -> Result<Login, SettingsError> {
        let auth = self.auth;
        let allowed: &[&str] = match auth.method {
            Method::Token => &["token"],
            Method::Approle => &["mount", "role-id", "secret-id", "wrapped-secret-id"],
            Method::Kubernetes | Method::Jwt => &["mount", "role", "jwt"],
            Method::Cert => &["mount", "role"],
        };
        self.refuse_others(allowed)?;
        match auth.method {
            Method::Token => Ok(Login::Given(Given::Credential(self.needed("token", auth.token.as_ref())?))),
            Method::Approle => {
                let role_id = auth.role_id.clone().ok_or_else(|| missing("role-id"))?;
                Ok(Login::AppRole { mount: self.mount("approle")?, role_id, secret_id: self.secret_id()? })
            }
            Method::Kubernetes => {
                let role = Some(auth.role.clone().ok_or_else(|| missing("role"))?);
                let jwt = match &auth.jwt {
                    Some(_) => Jwt::Credential(self.needed("jwt", auth.jwt.as_ref())?),
                    None => Jwt::ServiceAccount(SERVICE_ACCOUNT.into()),
                };
                Ok(Login::Jwt { mount: self.mount("kubernetes")?, role, jwt })
            }
            Method::Jwt => {
                let jwt = Jwt::Credential(self.needed("jwt", auth.jwt.as_ref())?);
                Ok(Login::Jwt { mount: self.mount("jwt")?, role: auth.role.clone(), jwt })
            }
            Method::Cert => Ok(Login::Certificate { mount: self.mount("cert")?, name: auth.role.clone() }),
        }
    }

    fn secret_id(&self) -> Result<SecretId, SettingsError> {
        match (&self.auth.secret_id, &self.auth.wrapped_secret_id) {
            (None, None) => Ok(SecretId::None),
            (Some(plain), None) => Ok(SecretId::Plain(self.needed("secret-id", Some(plain))?)),
            (None, Some(wrapped)) => {
                let credential = self.needed("wrapped-secret-id", Some(wrapped))?;
                Ok(SecretId::Wrapped(credential, tokio::sync::Mutex::default()))
            }
            (Some(_), Some(_)) => Err(SettingsError::new(
                at("wrapped-secret-id"),
                "cannot be combined with `secret-id`; keep one of them",
            )),
        }
    }

    fn needed(
        &self,
        key: &'static str,
        credential: Option<&CredentialSettings>,
    ) -> Result<Credential, SettingsError> {
        let credential = credential.ok_or_else(|| missing(key))?;
        self.settings.credential(at(key), credential)
    }

    fn mount(&self, usual: &str) -> Result<String, SettingsError> {
        let mount = self.auth.mount.as_deref().unwrap_or(usual).trim_matches('/');
        let is_path = mount.split('/').all(|part| !matches!(part, "" | "." | ".."));
        if !is_path || mount.chars().any(char::is_control) {
            return Err(SettingsError::new(
                at("mount"),
                "must be the path of an auth method, such as `approle`",
            ));
        }
        Ok(mount.strip_prefix("auth/").unwrap_or(mount).to_owned())
    }

    fn refuse_others(&self, allowed: &[&str]) -> Result<(), SettingsError> {
        let auth = self.auth;
        let set = [
            ("mount", auth.mount.is_some()),
            ("role", auth.role.is_some()),
            ("role-id", auth.role_id.is_some()),
            ("secret-id", auth.secret_id.is_some()),
            ("wrapped-secret-id", auth.wrapped_secret_id.is_some()),
            ("token", auth.token.is_some()),
            ("jwt", auth.jwt.is_some()),
        ];
        let misplaced = set.into_iter().filter(|(key, is_set)| *is_set && !allowed.contains(key));
        let problems = misplaced.map(|(key, _)| {
            let usable = allowed.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
            SettingsError::new(at(key), format!("does not belong to this method; known here: {usable}"))
        });
        problems.reduce(SettingsError::and).map_or(Ok(()), Err)
    }
}

fn at(key: &str) -> KeyPath {
    KeyPath::from(["auth", key])
}

fn missing(key: &str) -> SettingsError {
    SettingsError::new(at(key), "missing; this method needs it")
}
