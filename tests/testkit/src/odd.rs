//! What WhatsApp might say and nobody expects: the same for the same seed.

use paird_sandbox::Stanza;

const SERVER: &str = "s.whatsapp.net";

/// The same numbers in each run, evenly spread: splitmix64.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }

    pub fn one_of<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }

    /// Printable or not.
    pub fn text(&mut self) -> String {
        let of = ['a', 'Z', '9', ' ', '\0', '\n', '\u{1b}', '\u{202e}', 'ß', '漢', '🙂', '"', '<', '\u{7f}'];
        (0..self.below(40)).map(|_| of[usize::try_from(self.below(of.len() as u64)).unwrap()]).collect()
    }
}

/// A group that is odd in one way or another; what must be known of it.
pub fn odd_group(dice: &mut Dice, nth: u64) -> (Stanza, Option<(String, Option<String>)>) {
    let jid = format!("12036309{:09}", dice.below(1_000_000_000) / 100 * 100 + nth);
    let subject = format!("Odd {nth}");
    let member = |number: u64| Stanza::new("participant").attr("jid", format!("999{number:08}@{SERVER}"));
    let group = Stanza::new("group").attr("id", &jid).attr("subject", &subject).attr("creation", 1_700_000_000);
    let known = |jid: &str, subject: Option<&str>| Some((format!("{jid}@g.us"), subject.map(str::to_owned)));
    let named = known(&jid, Some(&subject));
    let value = dice.one_of(&["", "-1", "101", "maybe", "99999999999999999999"]).to_owned();
    match nth % 16 {
        0 => (group.attr("size", &value).child(member(1)), named),
        1 => (Stanza { attrs: [("id".to_owned(), jid.clone())].into(), ..group }, known(&jid, None)),
        2 => (group.child(Stanza::new("participant")).child(member(2)), named),
        3 => (group.child(Stanza::new("participant").attr("jid", dice.text())), named),
        4 => (group.child(member(4).attr("type", dice.one_of(&["", "owner", "ghost"]))), named),
        5 => (group.child(Stanza::new("ephemeral").attr("expiration", &value).attr("trigger", 21)), named),
        6 => (group.child(Stanza::new("appeal_status").attr("type", "unheard")), named),
        7 => (group.child(Stanza::new("appeal_status")), named),
        8 => (group.child(Stanza::new("evolution_version").attr("value", &value)), named),
        9 => (group.attr("addressing_mode", "smoke").attr("p_v_id", &value), named),
        10 => (group.child(Stanza::new("suspended").attr("can_auto_file", &value)), named),
        11 => (group.child(Stanza::new("limit_sharing_enabled").attr("trigger", &value)), named),
        12 => (group.child(Stanza::new("mystery").child(Stanza::new("deeper").bytes(&[0xff, 0]))), named),
        13 => (group.child(Stanza::new("parent").attr("default_membership_approval_mode", &value)), named),
        14 => (Stanza { attrs: [("subject".to_owned(), subject)].into(), ..group }, None),
        _ => (group.attr("subject", dice.text()), known(&jid, None)),
    }
}

/// Something that is no answer to anything.
pub fn odd_children(dice: &mut Dice, deep: u64) -> Vec<Stanza> {
    let tags = ["list", "usync", "sync", "groups", "props", "collection", "count", "key", "error", "x"];
    let attrs = ["id", "jid", "name", "version", "value", "type", "code", "t"];
    (0..dice.below(4))
        .map(|_| {
            let mut child = Stanza::new(dice.one_of(&tags));
            for _ in 0..dice.below(3) {
                child = child.attr(dice.one_of(&attrs), wild(dice));
            }
            match dice.below(3) {
                0 if deep > 0 => Stanza { children: odd_children(dice, deep - 1), ..child },
                1 => child.bytes(dice.text().as_bytes()),
                _ => child,
            }
        })
        .collect()
}

/// A stanza with a tag that nobody knows.
pub fn unheard(dice: &mut Dice, nth: u64) -> Stanza {
    let tag = format!("{}{}", dice.one_of(&["mystery", "w:odd", "poll", "stream:news"]), nth % 4);
    Stanza::new(&tag).attr("id", format!("odd-{nth}")).attr("from", SERVER).child(Stanza::new("part").bytes(&[1, 2]))
}

/// A message without anything for this device to decrypt.
pub fn empty_message(dice: &mut Dice, nth: u64) -> Stanza {
    let message = Stanza::new("message").attr("id", format!("empty-{nth}")).attr("t", 1_700_000_000);
    let message = message.attr("type", dice.one_of(&["text", "media", "pay", "unheard"]));
    let other = Stanza::new("to").attr("jid", format!("99900000001:9@{SERVER}"));
    let message = match nth % 4 {
        0 => message,
        1 => message.child(Stanza::new("mystery")),
        2 => message.child(Stanza::new("participants").child(other.child(Stanza::new("enc").attr("type", "msg")))),
        _ => message.child(Stanza::new("body").bytes(b"plain")),
    };
    match nth % 3 {
        0 => message.attr("from", format!("99900000002@{SERVER}")),
        1 => message.attr("from", "120363000000000009@g.us").attr("participant", format!("99900000003@{SERVER}")),
        _ => message.attr("from", "99900000000002@lid"),
    }
}

/// Looks like an address, and has no binary form that can be read.
const UNREADABLE: &str = "🙂@🙂";

/// Whether the library can decode it; it cannot acknowledge a stanza whose id it does not know.
pub fn is_readable(stanza: &Stanza) -> bool {
    stanza.attrs.values().all(|value| value != UNREADABLE) && stanza.children.iter().all(is_readable)
}

/// A value that no attribute of WhatsApp's has.
fn wild(dice: &mut Dice) -> String {
    match dice.below(9) {
        0 => String::new(),
        1 => "-1".to_owned(),
        2 => "x".repeat(10_000),
        3 => "a\0b".to_owned(),
        4 => UNREADABLE.to_owned(),
        5 => "99999999999999999999".to_owned(),
        6 => format!("@{SERVER}"),
        7 => format!("{}:99999@{SERVER}", dice.text()),
        _ => dice.text(),
    }
}

fn nested(levels: u64) -> Stanza {
    (0..levels).fold(Stanza::new("deep"), |inner, _| Stanza::new("deep").child(inner))
}

/// A stanza whose tag is known, with anything else in it.
pub fn odd_of_known_kind(dice: &mut Dice, tag: &str, nth: u64) -> Stanza {
    let types = [
        "encrypt",
        "server_sync",
        "account_sync",
        "devices",
        "link_code_companion_reg",
        "companion_reg_refresh",
        "business",
        "picture",
        "privacy_token",
        "status",
        "contacts",
        "w:gp2",
        "disappearing_mode",
        "newsletter",
        "mex",
        "mediaretry",
        "unheard",
        "psa",
        "",
    ];
    let mut stanza = Stanza::new(tag).attr("id", format!("known-{nth}")).attr("t", wild(dice));
    if dice.below(5) > 0 {
        let from =
            [SERVER.to_owned(), format!("99900000004@{SERVER}"), "120363000000000009@g.us".to_owned(), wild(dice)];
        stanza = stanza.attr("from", &from[usize::try_from(dice.below(4)).unwrap()]);
    }
    if dice.below(5) > 0 {
        stanza = stanza.attr("type", if tag == "notification" { dice.one_of(&types).to_owned() } else { wild(dice) });
    }
    for name in ["participant", "recipient", "offline", "notify", "class", "code"] {
        if dice.below(4) == 0 {
            stanza = stanza.attr(name, wild(dice));
        }
    }
    match dice.below(8) {
        0 => stanza.child(nested(30)),
        1 => Stanza { children: (0..500).map(|_| Stanza::new("item")).collect(), ..stanza },
        2 => stanza.bytes(&[0xff; 100]),
        _ => Stanza { children: odd_children(dice, 3), ..stanza },
    }
}
