//! The login of an account's proxy: parsed, sealed, stored and read again.

use std::borrow::Cow;
use std::fmt;
use std::path::Path;

use paird_actors::domain::{AccountId, KeyringId};
use paird_sql::client::{GenericClient, Params};
use paird_sql::queries::settings::{self as sql, GetProxyLogin, SetProxyParams};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use url::Url;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::seal::{DataKey, KeyFileError, MasterKeys, SealError};
use crate::proxy_address::{AddressError, ProxyAddress};

/// The kind of the one record that is sealed.
const KIND: &str = "proxy-login";
/// The limit of SOCKS5, in bytes.
const LONGEST: usize = 255;

/// User and password. Zeroed when dropped; `Debug` shows neither.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyLogin {
    user: Zeroizing<String>,
    password: Zeroizing<String>,
}

impl ProxyLogin {
    /// # Errors
    /// One of them is empty, or too long for a proxy to take.
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Result<Self, ProxyError> {
        let (user, password) = (Zeroizing::new(user.into()), Zeroizing::new(password.into()));
        let fits = |text: &str| (1..=LONGEST).contains(&text.len()) && !text.chars().any(char::is_control);
        // HTTP's Basic takes the first colon for the end of the user.
        if !fits(&user) || user.contains(':') || !fits(&password) {
            return Err(ProxyError::Login);
        }
        Ok(Self { user, password })
    }

    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    pub(crate) fn password(&self) -> &str {
        &self.password
    }
}

impl fmt::Debug for ProxyLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[proxy login]")
    }
}

/// A proxy as a person gives it: the address, perhaps with the login in it.
#[derive(Clone, Debug)]
pub struct GivenProxy {
    pub address: ProxyAddress,
    pub login: Option<ProxyLogin>,
}

impl GivenProxy {
    /// Reads `socks5://user:password@host:port`.
    ///
    /// # Errors
    /// The reason why `text` is invalid, without `text` itself.
    pub fn parse(text: &str) -> Result<Self, ProxyError> {
        let url = Url::parse(text.trim()).map_err(|_| AddressError::Malformed)?;
        let address = ProxyAddress::of(&url)?;
        let plain = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().map(|text| text.into_owned());
        let login = match (url.username(), url.password()) {
            ("", None) => None,
            (user, password) => {
                let user = plain(user).map_err(|_| ProxyError::Login)?;
                let password = plain(password.unwrap_or_default()).map_err(|_| ProxyError::Login)?;
                Some(ProxyLogin::new(user, password)?)
            }
        };
        Ok(Self { address, login })
    }

    /// Adds a login that was given beside the address.
    ///
    /// # Errors
    /// The address held one already, or this is none.
    pub fn with_login(self, user: &str, password: &str) -> Result<Self, ProxyError> {
        if self.login.is_some() {
            return Err(ProxyError::TwoLogins);
        }
        Ok(Self { login: Some(ProxyLogin::new(user, password)?), ..self })
    }
}

/// Why a proxy was not set. Nothing was changed.
#[derive(Debug, Error)]
pub enum ProxyError {
    #[error("the proxy cannot be used: {0}")]
    Address(#[from] AddressError),
    #[error("a proxy's user and password are 1 to 255 characters each, the user without a colon")]
    Login,
    #[error("the address already contains a user and a password: give them only once")]
    TwoLogins,
    #[error("the account does not exist, or was deleted")]
    NoAccount,
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    #[error("master key file {0} does not exist: paird serve makes it")]
    NoFile(String),
    #[error("the proxy's login cannot be decrypted: {0}; set it again with: paird accounts proxy")]
    Seal(#[from] SealError),
    #[error("database: {0}")]
    Database(#[from] tokio_postgres::Error),
}

/// The sealed content.
#[derive(Serialize, Deserialize)]
struct Record<'a> {
    user: Cow<'a, str>,
    password: Cow<'a, str>,
}

/// Sets the account's proxy and its sealed login in one step. A connected account reconnects
/// through it; setting the current value again changes nothing. `source` is named in the
/// audit log.
///
/// # Errors
/// See [`ProxyError`].
pub async fn set_proxy<C: GenericClient>(
    client: &C,
    master_key_file: &Path,
    account: AccountId,
    proxy: &GivenProxy,
    source: &str,
) -> Result<(), ProxyError> {
    let address = proxy.address.to_string();
    let Some(login) = &proxy.login else { return write(client, account, Some(&address), None, source).await };
    // Held until the row is written: no rotation ends in between.
    let (keys, _lock) = MasterKeys::read_locked(master_key_file).await?;
    let keys = keys.ok_or_else(|| ProxyError::NoFile(master_key_file.display().to_string()))?;
    if current_login(client, account, &address, &keys).await?.as_ref() == Some(login) {
        return Ok(());
    }
    let sealed = Sealed::of(account, &address, login, &keys)?;
    write(client, account, Some(&address), Some(sealed), source).await
}

/// Takes proxy and login away: the account connects directly.
///
/// # Errors
/// See [`ProxyError`].
pub async fn forget_proxy<C: GenericClient>(client: &C, account: AccountId, source: &str) -> Result<(), ProxyError> {
    write(client, account, None, None, source).await
}

/// The login that is set for this address; one that does not open is to be replaced.
async fn current_login<C: GenericClient>(
    client: &C,
    account: AccountId,
    address: &str,
    keys: &MasterKeys,
) -> Result<Option<ProxyLogin>, ProxyError> {
    let row = sql::get_proxy_login().bind(client, &account.0, &address).opt().await?;
    Ok(row.and_then(|row| open_login(account, address, &row, keys).ok()))
}

async fn write<C: GenericClient>(
    client: &C,
    account: AccountId,
    address: Option<&str>,
    sealed: Option<Sealed>,
    source: &str,
) -> Result<(), ProxyError> {
    let row = SetProxyParams {
        source,
        account_id: account.0,
        id: sealed.as_ref().map(|sealed| sealed.id),
        proxy: address,
        wrapped_key: sealed.as_ref().map(|sealed| sealed.wrapped_key.as_slice()),
        master_key: sealed.as_ref().map(|sealed| sealed.master_key.as_str()),
        sealed: sealed.as_ref().map(|sealed| sealed.record.as_slice()),
    };
    sql::set_proxy().params(client, &row).opt().await?.map(drop).ok_or(ProxyError::NoAccount)
}

struct Sealed {
    id: Uuid,
    wrapped_key: Vec<u8>,
    master_key: String,
    record: Vec<u8>,
}

impl Sealed {
    /// Bound to the account and to the address: it opens for no other.
    fn of(account: AccountId, address: &str, login: &ProxyLogin, keys: &MasterKeys) -> Result<Self, SealError> {
        let id = Uuid::new_v4();
        let key = DataKey::generate(account, KeyringId(id));
        let record = Record { user: login.user().into(), password: login.password().into() };
        // Two strings: this cannot fail.
        let plain = Zeroizing::new(serde_json::to_vec(&record).map_err(|_| SealError::Broken)?);
        let master = keys.newest();
        Ok(Self {
            id,
            wrapped_key: master.wrap(&key)?,
            master_key: master.id().to_owned(),
            record: key.seal(KIND, address, &plain)?,
        })
    }
}

/// Opens a login that was sealed for this account and this address.
pub(super) fn open_login(
    account: AccountId,
    address: &str,
    row: &GetProxyLogin,
    keys: &MasterKeys,
) -> Result<ProxyLogin, SealError> {
    let master = keys.find(&row.master_key).ok_or(SealError::Broken)?;
    let key = master.unwrap(account, KeyringId(row.id), &row.wrapped_key)?;
    let plain = key.open(KIND, address, &row.sealed)?;
    let record: Record<'_> = serde_json::from_slice(&plain).map_err(|_| SealError::Broken)?;
    let (user, password) = (record.user.into_owned(), record.password.into_owned());
    Ok(ProxyLogin { user: Zeroizing::new(user), password: Zeroizing::new(password) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_beside_the_address_is_taken_once() {
        let bare = || GivenProxy::parse("http://proxy.example:3128").unwrap();
        assert_eq!(bare().with_login("u", "p").unwrap().login, Some(ProxyLogin::new("u", "p").unwrap()));
        assert!(matches!(bare().with_login("u", "").unwrap_err(), ProxyError::Login));
        let whole = GivenProxy::parse("http://u:p@proxy.example:3128").unwrap();
        assert!(matches!(whole.with_login("u", "p").unwrap_err(), ProxyError::TwoLogins));
    }

    #[test]
    fn a_given_proxy_may_hold_its_login_which_never_shows() {
        let given = GivenProxy::parse("socks5://us%40er:p%3Ass%20w@proxy.example:1080").unwrap();
        assert_eq!(given.address.to_string(), "socks5://proxy.example:1080");
        assert_eq!(given.login, Some(ProxyLogin::new("us@er", "p:ss w").unwrap()));
        assert!(!format!("{given:?}").contains("p:ss"));
        assert!(GivenProxy::parse("http://user@proxy.example:3128").is_err(), "a user without a password");
        assert!(GivenProxy::parse("http://:pass@proxy.example:3128").is_err(), "a password without a user");
        assert!(ProxyLogin::new("us:er", "p").is_err() && ProxyLogin::new("u", "p".repeat(256)).is_err());
        assert!(ProxyLogin::new("u\r\nX: y", "p").is_err());
    }
}
