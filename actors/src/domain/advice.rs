/// What a person can do about a `status_reason`, by its leading word; `None` where
/// nothing is wrong.
pub fn advice(reason: &str) -> Option<&'static str> {
    let word = reason.split(':').next().unwrap_or_default();
    Some(match word {
        "socket_lost" | "unreachable" | "server_busy" | "rate_limited" | "restart_required" | "qr_exhausted"
        | "refused" | "store_failed" => "nothing yet: paird tries again by itself",
        "proxy_unreachable" => "check that the account's proxy runs; paird tries it again by itself",
        "proxy_refused" => "let the proxy pass connections to WhatsApp; paird tries it again by itself",
        "proxy_auth" => "set the proxy's user and password: paird accounts proxy",
        "proxy_invalid" => "write the proxy as socks5://host:port or http://host:port: paird accounts proxy",
        "code_refused" => "scan the QR instead, or wait some minutes and pair again",
        "code_expired" => "nothing yet: a new code is asked for; or scan the QR",
        "logged_out" => "the device was removed on the phone or by WhatsApp: pair the account again",
        "replaced" => "another program connects with the same keys: stop it, then resume the account",
        "temporary_ban" => "wait: paird connects again when WhatsApp's ban is over",
        "banned" => "look at WhatsApp on the phone; when the account works there again, resume it",
        "client_outdated" => "update paird, then resume the account",
        "keys_unusable" => {
            "put the database and the master key of one backup back, or delete the account and pair anew"
        }
        "duplicate" => "unpair the account that has the number first, or scan with another phone",
        "wrong_phone" => "scan with the phone that has the expected number",
        "timeout" => "pair again, and scan in time",
        "scan_rejected" => "scan again; the next scan may do",
        "no_keys" => "pair the account again",
        _ => return None,
    })
}
