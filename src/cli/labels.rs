//! Which account a label or an id means.

use std::cmp::Ordering;

use paird_sql::queries::cli::ListedAccount;
use uuid::Uuid;

use super::exit::{Exit, failure};
use super::out::clipped;

/// Shorter beginnings of an id are taken for labels alone: a typing error is not to name an account.
const SHORTEST_ID: usize = 6;
/// How many labels an error names.
const NAMED: usize = 3;
/// Longer ones are cut in errors, and compared no further.
const LONGEST_LABEL: usize = 60;
/// A label of which one word is alike is a little less so itself.
const OF_A_WORD: f64 = 0.95;

/// Whether an account is meant, and how that reads of several.
type Way<'a> = (&'a dyn Fn(&ListedAccount) -> bool, &'static str);

/// The account with this id or label; else the only one whose label differs in case alone, or whose id begins so.
///
/// # Errors
/// One line that names the candidates: none is meant, or several are.
pub(super) fn resolve(accounts: Vec<ListedAccount>, wanted: &str) -> anyhow::Result<ListedAccount> {
    if let Ok(id) = Uuid::parse_str(wanted) {
        let found = accounts.into_iter().find(|account| account.id == id);
        return found.ok_or_else(|| failure(Exit::NoAccount, format!("no account with id {id}")));
    }
    let lower = wanted.to_lowercase();
    let beginning = id_beginning(&lower);
    let ways: [Way<'_>; 3] = [
        (&|account: &ListedAccount| account.label == wanted, "have the label"),
        (
            &|account: &ListedAccount| account.label.to_lowercase() == lower,
            "have a label that differs in case alone from",
        ),
        (
            &|account: &ListedAccount| beginning.is_some_and(|begun| account.id.to_string().starts_with(begun)),
            "have an id like",
        ),
    ];
    for (is_meant, how) in ways {
        let meant: Vec<&ListedAccount> = accounts.iter().filter(|account| is_meant(account)).collect();
        if let [account] = meant.as_slice() {
            return Ok((*account).clone());
        }
        if !meant.is_empty() {
            return Err(several(&meant, how, wanted));
        }
    }
    Err(nobody(&accounts, wanted))
}

/// The account with exactly this label or this whole id, for what cannot be undone and is not asked about.
///
/// # Errors
/// As of [`resolve`], and the account that would be taken elsewhere is another one's name away.
pub(super) fn resolve_exactly(accounts: Vec<ListedAccount>, wanted: &str) -> anyhow::Result<ListedAccount> {
    let account = resolve(accounts, wanted)?;
    if account.label == wanted || Uuid::parse_str(wanted).is_ok() {
        return Ok(account);
    }
    let (label, id) = (clipped(&account.label, LONGEST_LABEL), account.id);
    let words = format!("no account is called exactly {wanted:?}; if {label:?} is meant, give that or its id, {id}");
    Err(failure(Exit::NoAccount, words))
}

/// What is long enough for the beginning of an id; a table in a terminal may have cut it.
fn id_beginning(lower: &str) -> Option<&str> {
    let begun = lower.trim_end_matches('…');
    let is_id = begun.len() >= SHORTEST_ID && begun.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    is_id.then_some(begun)
}

fn several(meant: &[&ListedAccount], how: &str, wanted: &str) -> anyhow::Error {
    let is_twin = meant.iter().all(|account| account.label == meant[0].label);
    let named = meant.iter().map(|account| match is_twin {
        true => account.id.to_string(),
        false => format!("{} ({})", clipped(&account.label, LONGEST_LABEL), account.id),
    });
    let named: Vec<String> = named.collect();
    let words = format!("{} accounts {how} {wanted:?}; give an id: {}", meant.len(), named.join(", "));
    failure(Exit::Ambiguous, words)
}

fn nobody(accounts: &[ListedAccount], wanted: &str) -> anyhow::Error {
    let nearest = nearest(accounts.iter().map(|account| account.label.as_str()), wanted);
    let list = nearest.iter().map(|label| clipped(label, LONGEST_LABEL)).collect::<Vec<_>>().join(", ");
    let words = match accounts.len() {
        0 => format!("no account {wanted:?}; there is none yet: paird accounts add LABEL"),
        count if count <= NAMED => format!("no account {wanted:?}; there are: {list}"),
        count => format!("no account {wanted:?}; the nearest of {count}: {list}"),
    };
    failure(Exit::NoAccount, words)
}

/// The labels that are most like it, the nearest first: those that contain it, then by their letters.
fn nearest<'a>(labels: impl Iterator<Item = &'a str>, wanted: &str) -> Vec<&'a str> {
    let cut = |text: &str| text.chars().take(LONGEST_LABEL).collect::<String>().to_lowercase();
    let wanted = cut(wanted);
    let likeness = |label: &str| {
        let label = cut(label);
        let whole = strsim::jaro_winkler(&label, &wanted);
        let words = label.split_whitespace().map(|word| strsim::jaro_winkler(word, &wanted) * OF_A_WORD);
        let is_part = !wanted.is_empty() && label.contains(&wanted);
        words.fold(whole, f64::max) + if is_part { 1.0 } else { 0.0 }
    };
    let mut rated: Vec<(f64, &str)> = labels.map(|label| (likeness(label), label)).collect();
    rated.sort_by(|(one, a), (other, b)| other.partial_cmp(one).unwrap_or(Ordering::Equal).then_with(|| a.cmp(b)));
    rated.dedup_by(|(_, a), (_, b)| a == b);
    rated.into_iter().take(NAMED).map(|(_, label)| label).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::cli) fn account(id: u128, label: &str) -> ListedAccount {
        ListedAccount {
            id: Uuid::from_u128(id),
            operator_id: Uuid::nil(),
            label: label.to_owned(),
            status: "unpaired".to_owned(),
            status_reason: "new".to_owned(),
            status_since: chrono::DateTime::default(),
            desired: "unpaired".to_owned(),
            phone_number: None,
            last_phone_number: None,
            next_retry_at: None,
            pair_deadline: None,
            qr_expires_at: None,
            created_at: chrono::DateTime::default(),
            deleted_at: None,
            proxy: None,
            device_name: None,
            tags: Vec::new(),
            desired_phone: None,
            has_keys: false,
        }
    }

    #[test]
    fn a_label_that_one_account_has_means_that_account() {
        let found = resolve(vec![account(1, "shop"), account(2, "desk")], "desk").unwrap();
        assert_eq!(found.id, Uuid::from_u128(2));
    }

    #[test]
    fn an_id_selects_its_account_even_if_a_label_equals_it() {
        let id = Uuid::from_u128(2).to_string();
        assert_eq!(resolve(vec![account(1, &id), account(2, "desk")], &id).unwrap().label, "desk");
        assert!(resolve(vec![account(1, "shop")], &id).unwrap_err().to_string().contains(&id));
    }

    #[test]
    fn an_ambiguous_label_names_all_candidates_in_one_line() {
        let wrong = resolve(vec![account(1, "shop"), account(2, "shop"), account(3, "desk")], "shop").unwrap_err();
        assert_eq!(Exit::of(&wrong), Exit::Ambiguous);
        let wrong = wrong.to_string();
        assert!(wrong.starts_with("2 accounts have the label \"shop\""), "{wrong}");
        assert!(wrong.contains(&Uuid::from_u128(1).to_string()) && wrong.contains(&Uuid::from_u128(2).to_string()));
        assert!(!wrong.contains('\n'));
    }

    #[test]
    fn case_and_the_rest_of_an_id_may_be_left_out_if_one_is_meant() {
        let fleet =
            || vec![account(0xabcd_ef01 << 96, "Lobby"), account(0xabcd_ef02 << 96, "desk"), account(3, "DESK")];
        let found = |wanted: &str| resolve(fleet(), wanted).map(|account| account.label);
        assert_eq!(found("lobby").unwrap(), "Lobby");
        assert_eq!(found("desk").unwrap(), "desk", "the exact one goes first");
        assert_eq!(found("ABCDEF02").unwrap(), "desk");
        assert_eq!(found("abcdef01-…").unwrap(), "Lobby", "as a clipped table shows it");
        for (wanted, how) in [("Desk", "differs in case"), ("abcdef0", "an id like"), ("abcdef", "an id like")] {
            let wrong = found(wanted).unwrap_err();
            assert_eq!(Exit::of(&wrong), Exit::Ambiguous, "{wrong}");
            let wrong = wrong.to_string();
            assert!(wrong.contains(how) && wrong.contains("desk (abcdef02-"), "{wrong}");
        }
        assert_eq!(Exit::of(&found("abcde").unwrap_err()), Exit::NoAccount, "too short for an id");
    }

    #[test]
    fn what_cannot_be_undone_wants_the_exact_label_or_id() {
        let fleet = || vec![account(0xabcd_ef01 << 96, "Lobby")];
        let id = Uuid::from_u128(0xabcd_ef01 << 96).to_string();
        assert!(resolve_exactly(fleet(), "Lobby").is_ok() && resolve_exactly(fleet(), &id).is_ok());
        for wanted in ["lobby", "abcdef01"] {
            let wrong = resolve_exactly(fleet(), wanted).unwrap_err();
            assert_eq!(Exit::of(&wrong), Exit::NoAccount);
            assert!(wrong.to_string().contains("\"Lobby\""), "{wrong}");
        }
    }

    #[test]
    fn an_unknown_label_names_the_three_nearest() {
        let labels = ["desk", "north lobby", "lobby", "lobbies", "shop", "shop"];
        let fleet: Vec<_> = labels.iter().zip(1..).map(|(label, id)| account(id, label)).collect();
        let wrong = resolve(fleet, "loby").unwrap_err().to_string();
        assert_eq!(wrong, "no account \"loby\"; the nearest of 6: lobby, north lobby, lobbies");
        assert_eq!(nearest(labels.into_iter(), "Lobb"), ["lobby", "lobbies", "north lobby"]);
        assert_eq!(nearest(labels.into_iter(), "sho"), ["shop", "lobby", "lobbies"], "each label once");
    }

    #[test]
    fn an_unknown_label_names_those_that_exist() {
        let wrong = resolve(vec![account(1, "shop")], "shoe").unwrap_err();
        assert_eq!(Exit::of(&wrong), Exit::NoAccount);
        assert_eq!(wrong.to_string(), "no account \"shoe\"; there are: shop");
        assert!(resolve(Vec::new(), "shoe").unwrap_err().to_string().contains("accounts add"));
    }
}
