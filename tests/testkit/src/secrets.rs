//! Secrets that no log line may contain.

use std::path::Path;

use super::Web;

/// Looks through every log of the stage for what the test saw on the way: QR payloads
/// and their parts, pair codes, whole phone numbers, what messages say, the master key, the
/// console's token.
pub async fn assert_none_in_logs(dir: &Path, web: &Web) {
    let mut secrets = web.secrets_seen();
    secrets.extend(web.numbers().await);
    // Of those that contain another secret that one is enough: there may be thousands.
    let said = web.said().await.into_iter().filter(|said| !secrets.iter().any(|secret| said.contains(secret.as_str())));
    let said: Vec<String> = said.collect();
    secrets.extend(said);
    for file in ["daemon/master.key", "daemon/console.token"] {
        let text = std::fs::read_to_string(dir.join(file)).unwrap_or_default();
        secrets.extend(text.split_whitespace().filter(|word| word.len() > 30).map(str::to_owned));
    }
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "log") {
            continue;
        }
        let log = std::fs::read_to_string(&path).unwrap();
        for line in log.lines() {
            let leak = secrets.iter().find(|secret| line.contains(secret.as_str()));
            assert!(leak.is_none(), "a secret is in a log: {line}");
        }
    }
}
