//! The settings from the environment and `paird.toml`, by name, as unparsed strings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::ConfigError;
use super::settings::{self, Setting, Unset};

/// Names that the tests use for themselves; no setting begins like this.
const TEST_PREFIX: &str = "PAIRD_TEST_";

/// A name that would be refused if it were unknown.
pub(super) fn is_ours(name: &str) -> bool {
    name.starts_with("PAIRD_") || name == "DATABASE_URL"
}

/// Settings by name. The environment wins over the file; an empty value is none.
pub(super) struct RawSettings {
    variables: BTreeMap<String, String>,
    file: BTreeMap<String, String>,
}

impl RawSettings {
    /// Refuses unknown names, in the environment and in the file: a misspelt
    /// setting must not be silently ignored.
    pub(super) fn new(variables: BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let unknown =
            variables.keys().find(|name| is_ours(name) && !settings::is_known(name) && !name.starts_with(TEST_PREFIX));
        if let Some(name) = unknown {
            return Err(misspelt(name, "is not a setting"));
        }
        let mut given = Self { variables, file: BTreeMap::new() };
        if let Some(path) = given.settings_file()? {
            given.file = read_file(&path)?;
        }
        Ok(given)
    }

    /// Any variable by its name.
    fn text(&self, name: &str) -> Option<&str> {
        self.variables.get(name).filter(|v| !v.is_empty()).or_else(|| self.file.get(name)).map(String::as_str)
    }

    pub(super) fn get(&self, setting: &Setting) -> Option<&str> {
        self.text(setting.name)
    }

    /// Reads a setting, or what stands for it while it is not set.
    pub(super) fn parse<T>(
        &self,
        setting: &Setting,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, ConfigError> {
        let text = match (self.get(setting), setting.unset) {
            (Some(text), _) | (None, Unset::Reads(text)) => text,
            (None, Unset::Means(_) | Unset::Nothing) => return Err(ConfigError::new(setting.name, "is not set")),
        };
        read(text).map_err(|wrong| ConfigError::new(setting.name, wrong))
    }

    pub(super) fn parse_optional<T>(
        &self,
        setting: &Setting,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, ConfigError> {
        self.get(setting).map(read).transpose().map_err(|wrong| ConfigError::new(setting.name, wrong))
    }

    /// `PAIRD_DATA_DIR`, or the user's place for such data.
    pub(super) fn data_dir(&self) -> Result<PathBuf, ConfigError> {
        let home = |name: &str, below: &str| self.text(name).map(|dir| Path::new(dir).join(below));
        let dir = self
            .get(&settings::DATA_DIR)
            .map(PathBuf::from)
            .or_else(|| home("XDG_DATA_HOME", "paird"))
            .or_else(|| home("HOME", ".local/share/paird"));
        match dir {
            Some(dir) => std::path::absolute(&dir)
                .map_err(|error| ConfigError::new(settings::DATA_DIR.name, format!("{}: {error}", dir.display()))),
            None => Err(ConfigError::new(settings::DATA_DIR.name, "is not set, and neither XDG_DATA_HOME nor HOME is")),
        }
    }

    /// `PAIRD_CONFIG`, which must exist, else the first `paird.toml` that does.
    fn settings_file(&self) -> Result<Option<PathBuf>, ConfigError> {
        if let Some(path) = self.get(&settings::CONFIG).map(PathBuf::from) {
            return match path.is_file() {
                true => Ok(Some(path)),
                false => Err(ConfigError::new(settings::CONFIG.name, format!("{} is not a file", path.display()))),
            };
        }
        let beside = PathBuf::from("paird.toml");
        let in_data_dir = self.data_dir().map(|dir| dir.join("paird.toml"));
        Ok([Ok(beside), in_data_dir].into_iter().flatten().find(|path| path.is_file()))
    }
}

fn read_file(path: &Path) -> Result<BTreeMap<String, String>, ConfigError> {
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| ConfigError::new(&file, error.to_string()))?;
    // The parser's own message quotes the line, which may hold a password.
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        ConfigError::new(&file, format!("line {line} is not TOML"))
    })?;
    let mut values = BTreeMap::new();
    for (name, value) in table {
        if !settings::is_known(&name) {
            return Err(misspelt(&name, &format!("is not a setting (in {file})")));
        }
        if name == settings::CONFIG.name {
            return Err(ConfigError::new(&name, format!("can only be set in the environment, not in {file}")));
        }
        let text = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Float(_)
            | toml::Value::Boolean(_)
            | toml::Value::Datetime(_)
            | toml::Value::Array(_)
            | toml::Value::Table(_) => {
                return Err(ConfigError::new(&name, format!("is not a string (in {file})")));
            }
        };
        if !text.is_empty() {
            values.insert(name, text);
        }
    }
    Ok(values)
}

/// An unknown name, with the nearest known one where there is a near one.
fn misspelt(name: &str, wrong: &str) -> ConfigError {
    // What all settings begin with makes none of them nearer.
    let own = |name: &str| name.strip_prefix("PAIRD_").unwrap_or(name).to_owned();
    let upper = own(&name.to_uppercase());
    let distance = |known: &str| strsim::damerau_levenshtein(&upper, &own(known));
    let nearest = settings::ALL.iter().map(|setting| (distance(setting.name), setting.name)).min();
    match nearest {
        Some((distance, known)) if distance * 3 <= upper.chars().count() => {
            ConfigError::new(name, format!("{wrong}; did you mean {known}?"))
        }
        Some(_) | None => ConfigError::new(name, format!("{wrong}; paird serve --help lists them")),
    }
}
