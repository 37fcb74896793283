use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Result<String, PhoneError> {
    Phone::parse(text).map(|phone| phone.digits().to_owned())
}

fn same(one: &str, other: &str) -> bool {
    Phone::parse(one).unwrap().is_same_number(&Phone::parse(other).unwrap())
}

#[test]
fn a_digit_dialled_inside_the_country_only_is_left_out() {
    for (written, digits) in [
        ("+44 (0)20 7946 0958", "442079460958"),
        ("+43 (0) 660 1234567", "436601234567"),
        ("0043 0660 1234567", "436601234567"),
        ("4306601234567", "436601234567"),
        ("+49 (0) 151/234-56789", "4915123456789"),
        ("+7 8 912 345-67-89", "79123456789"),
        ("+36 06 30 123 4567", "36301234567"),
        ("+55 (011) 98765-4321", "5511987654321"),
        ("+54 11 15 1234-5678", "5491112345678"),
    ] {
        assert_eq!(read(written).as_deref(), Ok(digits), "{written}");
    }
}

#[test]
fn a_zero_that_belongs_to_the_number_stays() {
    for (written, digits) in [
        ("+39 06 698 12345", "390669812345"),
        ("+378 0549 886377", "3780549886377"),
        ("+242 06 123 4567", "242061234567"),
        ("+225 07 18 13 99 12", "2250718139912"),
        ("+229 01 97 12 34 56", "2290197123456"),
        ("+7 800 555 35 35", "78005553535"),
    ] {
        assert_eq!(read(written).as_deref(), Ok(digits), "{written}");
    }
}

#[test]
fn invisible_characters_of_a_pasted_number_are_ignored() {
    for written in [
        "\u{202a}+43 660 1234567\u{202c}",
        "+43\u{a0}660\u{202f}1234567",
        "+43\u{2011}660\u{2013}123\u{2212}4567",
        "\u{feff}+43 660\u{200b}1234567",
        "\u{2066}+43\u{2069} 660 \u{ad}1234567\u{200e}",
        "\u{ff0b}\u{ff14}\u{ff13}\u{3000}\u{ff16}\u{ff16}\u{ff10}\u{ff0d}\u{ff11}\u{ff12}\u{ff13}\u{ff14}\u{ff15}\u{ff16}\u{ff17}",
        "+\u{664}\u{663} \u{666}\u{666}\u{660} \u{661}\u{662}\u{663}\u{664}\u{665}\u{666}\u{667}",
        "+\u{6f4}\u{6f3} \u{6f6}\u{6f6}\u{6f0} \u{6f1}\u{6f2}\u{6f3}\u{6f4}\u{6f5}\u{6f6}\u{6f7}",
        "+\u{96a}\u{969} \u{96c}\u{96c}\u{966} \u{967}\u{968}\u{969}\u{96a}\u{96b}\u{96c}\u{96d}",
    ] {
        assert_eq!(read(written).as_deref(), Ok("436601234567"), "{written:?}");
    }
    for (written, why) in [
        ("+43 660 CALL", PhoneError::NotDigits('C')),
        ("\u{200b}\u{a0}", PhoneError::Empty),
        ("½ 43 660", PhoneError::NotDigits('½')),
    ] {
        assert_eq!(read(written), Err(why), "{written:?}");
    }
}

#[test]
fn two_spellings_of_whatsapps_are_one_number() {
    for (one, other) in [
        ("551187654321", "+55 11 98765-4321"),
        ("554784178525", "+55 47 98417-8525"),
        ("5215512345678", "+52 55 1234 5678"),
        ("5491112345678", "+54 11 1234-5678"),
        ("22507123456", "+225 07 07 12 34 56"),
        ("22545123456", "+225 05 45 12 34 56"),
        ("22501123456", "+225 01 01 12 34 56"),
        ("22997123456", "+229 01 97 12 34 56"),
    ] {
        assert!(same(one, other), "{one} and {other}");
        assert_ne!(Phone::parse(one), Phone::parse(other), "what was said is kept");
    }
}

#[test]
fn numbers_that_only_look_alike_are_two() {
    for (one, other) in [
        // A fixed line has no ninth digit.
        ("554532782153", "5545932782153"),
        ("551187654321", "551187654322"),
        // Two operators' numbers that end alike.
        ("2250718139912", "2250518139912"),
        ("2250707123456", "2250507123456"),
        ("5215512345678", "525512345679"),
        ("436601234567", "4366012345670"),
        ("15215512345678", "1525512345678"),
    ] {
        assert!(!same(one, other), "{one} and {other}");
    }
}

#[test]
fn the_sql_function_has_the_lines_of_the_table() {
    let migration = concat!(env!("CARGO_MANIFEST_DIR"), "/../sql/migrations/V10__one_number.sql");
    let sql = std::fs::read_to_string(migration).unwrap();
    let lines: Vec<_> = sql.lines().map(str::trim).filter(|line| line.starts_with("WHEN phone_number ~")).collect();
    assert_eq!(lines, spellings::sql());
}

proptest! {
    /// Numbers from rows and from WhatsApp are read back unchanged.
    #[test]
    fn a_number_that_was_read_reads_the_same_again(digits in "[1-9][0-9]{6,14}") {
        if let Ok(once) = Phone::parse(&digits) {
            let again = Phone::parse(once.digits()).unwrap();
            prop_assert!(again.is_same_number(&once), "{digits} -> {} -> {}", once.digits(), again.digits());
        }
    }

    #[test]
    fn a_key_is_its_own_key(digits in "(55|52|54|225|229)[0-9]{6,12}") {
        if let Ok(phone) = Phone::from_digits(&digits) {
            let key = Phone::from_digits(&phone.key()).unwrap();
            prop_assert_eq!(key.key(), phone.key());
        }
    }
}

#[test]
fn a_search_finds_a_number_however_it_is_written() {
    for written in
        ["+43 660 1234567", "0043 660/1234567", "+43 (0)660 1234567", "4306601234567", "0660 123 45 67", "٠٦٦٠١٢٣"]
    {
        let searched = Phone::searched_digits(written).unwrap();
        assert!("436601234567".contains(&searched), "{written}: {searched}");
    }
    for other in ["", "de", "12", "+0", "desk 1234", "user@660"] {
        assert_eq!(Phone::searched_digits(other), None, "{other}");
    }
}
