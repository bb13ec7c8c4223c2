//! One POST, carefully: encrypted unless it stays on the machine, to an address that was
//! looked at before the connection is made, without redirects, within a time, and with
//! errors that give nothing away of the URL but its host.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use serde_json::Value;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Error};

use super::settings::{Secret, Settings};
use super::{ChannelError, DeliveryError};

/// How long a receiver may take, all together.
const TIME: Duration = Duration::from_secs(5);
/// What is read of its answer.
const ANSWER: u64 = 64 * 1024;
/// What is shown of its answer when it refuses.
const WORDS: usize = 120;

/// Where to, and what is allowed on the way.
#[derive(Clone, Debug)]
pub(super) struct Target {
    url: Secret,
    /// Scheme and host, which are shown.
    shown: String,
    policy: Policy,
}

#[derive(Clone, Copy, Debug)]
struct Policy {
    /// Addresses that are not of the public internet.
    allow_private: bool,
    /// The host is this machine by its name, and may be.
    is_loopback: bool,
}

impl Target {
    /// Takes `url` (or `url_file`, `url_env`), `allow_http` and `allow_private`.
    pub fn of(settings: &mut Settings<'_>, url: Secret) -> Result<Target, ChannelError> {
        let allow_http = settings.switch("allow_http")?;
        let allow_private = settings.switch("allow_private")?;
        let bad = |why: &str, hint: &str| settings.error(None, why, hint);
        let parsed: Result<Uri, _> = url.reveal().parse();
        let Some((uri, host)) = parsed.ok().and_then(|uri| {
            let host = uri.host()?.to_owned();
            Some((uri, host))
        }) else {
            return Err(bad("its url is none", "write it as https://HOST/PATH"));
        };
        if uri.authority().is_some_and(|a| a.as_str().contains('@')) {
            return Err(bad(
                "its url holds a password",
                "put a token into token_file or token_env",
            ));
        }
        let is_loopback = is_loopback(&host);
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if is_loopback || allow_http => {}
            Some("http") => {
                return Err(bad(
                    "its url is not encrypted",
                    "write https://, or allow_http = true",
                ));
            }
            Some(_) | None => return Err(bad("its url is none", "write it as https://HOST/PATH")),
        }
        let port = uri
            .port_u16()
            .map_or(String::new(), |port| format!(":{port}"));
        Ok(Target {
            shown: format!("{}://{host}{port}", uri.scheme_str().unwrap_or("https")),
            url,
            policy: Policy {
                allow_private,
                is_loopback,
            },
        })
    }

    /// The same target with a path behind that of its URL.
    pub fn under(self, path: &str) -> Target {
        let url = format!("{}{path}", self.url.reveal().trim_end_matches('/'));
        Target {
            url: Secret::of(url),
            ..self
        }
    }

    /// Sends JSON; anything but 2xx is an error.
    pub fn post(&self, body: &Value, headers: &[(&str, String)]) -> Result<String, DeliveryError> {
        let text = body.to_string();
        self.post_text(&text, headers)
    }

    /// Sends a text that is JSON already.
    pub fn post_text(
        &self,
        text: &str,
        headers: &[(&str, String)],
    ) -> Result<String, DeliveryError> {
        let error = |why: &str| DeliveryError::new(format!("{}: {why}", self.shown));
        let config = Agent::config_builder()
            .timeout_global(Some(TIME))
            .max_redirects(0)
            .proxy(None)
            .http_status_as_error(false)
            .user_agent(concat!("obs/", env!("CARGO_PKG_VERSION")))
            .build();
        let resolver = Checked {
            policy: self.policy,
            inner: DefaultResolver::default(),
        };
        let agent = Agent::with_parts(config, DefaultConnector::default(), resolver);
        let mut request = agent
            .post(self.url.reveal())
            .header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let mut answer = request.send(text).map_err(|e| error(&words(&e)))?;
        let status = answer.status();
        let body = answer
            .body_mut()
            .with_config()
            .limit(ANSWER)
            .lossy_utf8(true);
        if status.is_success() {
            // An answer that breaks off was none.
            return body.read_to_string().map_err(|e| error(&words(&e)));
        }
        let said = body.read_to_string().unwrap_or_default();
        Err(error(&match self.harmless(&said).as_str() {
            "" => format!("it answered {status}"),
            said => format!("it answered {status}: {said}"),
        }))
    }

    /// The beginning of an answer on one line, unless it repeats what is secret.
    fn harmless(&self, said: &str) -> String {
        let path = self
            .url
            .reveal()
            .get(self.shown.len()..)
            .unwrap_or_default();
        let tells = |part: &str| part.len() > 3 && said.contains(part);
        if path.split(['/', '?', '&', '=']).any(tells) {
            return String::new();
        }
        let inert = said.chars().map(|c| if c.is_control() { ' ' } else { c });
        let inert: String = inert.take(WORDS).collect();
        inert.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// What went wrong, without the URL.
fn words(error: &Error) -> String {
    match error {
        Error::Timeout(_) => format!("no answer within {} s", TIME.as_secs()),
        Error::HostNotFound => "no such host".to_owned(),
        Error::Io(e) if e.kind() == ErrorKind::ConnectionRefused => {
            "nobody listens there".to_owned()
        }
        Error::Io(e) if e.kind() == ErrorKind::UnexpectedEof => "its answer broke off".to_owned(),
        // The system speaks of the host, of addresses and of connections, not of the URL.
        Error::Io(e) => e.to_string(),
        Error::Rustls(e) => format!("no trust in its certificate ({e})"),
        Error::Tls(e) => format!("no encrypted connection ({e})"),
        Error::BodyExceedsLimit(_) => "its answer is too large".to_owned(),
        Error::Protocol(_) => "its answer is not HTTP".to_owned(),
        _ => "the request failed".to_owned(),
    }
}

/// Looks a host up and refuses addresses that nobody on the internet may name: the one
/// that was looked at is the one that is connected to.
#[derive(Debug)]
struct Checked {
    policy: Policy,
    inner: DefaultResolver,
}

impl Resolver for Checked {
    fn resolve(
        &self,
        uri: &Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let addresses = self.inner.resolve(uri, config, timeout)?;
        let mut allowed = self.empty();
        for address in addresses.iter() {
            if self.policy.allows(address.ip()) {
                allowed.push(*address);
            }
        }
        match allowed.is_empty() {
            true => Err(Error::Io(std::io::Error::new(
                ErrorKind::PermissionDenied,
                "it is a private address; allow_private = true allows it",
            ))),
            false => Ok(allowed),
        }
    }
}

impl Policy {
    fn allows(self, ip: IpAddr) -> bool {
        self.allow_private || (self.is_loopback && ip.is_loopback()) || is_public(ip)
    }
}

/// Whether a host is this machine by its very name.
fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Whether an address is of the public internet: none of the special-purpose blocks of
/// the registries for IPv4 (RFC 6890 and its successors) and IPv6.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => match carried_v4(ip) {
            Some(v4) => is_public_v4(v4),
            // Of all of IPv6 only 2000::/3 is given out; 2001:db8::/32 is for examples.
            None => ip.segments()[0] & 0xe000 == 0x2000 && ip.segments()[..2] != [0x2001, 0xdb8],
        },
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation()
        || a == 0
        || a >= 224
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b));
    !special
}

/// The IPv4 address that an IPv6 one stands for: mapped, of NAT64, or of 6to4.
fn carried_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let [s0, s1, s2, .., s6, s7] = ip.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match (s0, s1) {
        (0x64, 0xff9b) => Some(v4(s6, s7)),
        (0x2002, _) => Some(v4(s1, s2)),
        _ => ip.to_ipv4_mapped(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_are_not_of_the_public_internet_are_known() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "198.18.0.1",
            "192.0.0.192",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "2001:db8::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in [
            "1.1.1.1",
            "104.16.0.1",
            "172.32.0.1",
            "2606:4700::1111",
            "64:ff9b::101:101",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn a_name_that_leads_to_this_machine_is_not_this_machine_by_name() {
        let by = |is_loopback| Policy {
            allow_private: false,
            is_loopback,
        };
        let here: IpAddr = "127.0.0.1".parse().unwrap();
        assert!(by(is_loopback("127.0.0.1")).allows(here));
        assert!(by(is_loopback("[::1]")).allows("::1".parse().unwrap()));
        assert!(!by(is_loopback("rebound.example")).allows(here));
        assert!(!by(is_loopback("localhost")).allows("10.0.0.1".parse().unwrap()));
    }
}
