//! Arbitrary stanzas as JSON, to test unknown ones.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

/// A stanza, or a part of one. Either children or content.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stanza {
    pub tag: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attrs: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<Stanza>,
    /// Base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

impl Stanza {
    pub fn new(tag: &str) -> Self {
        Self { tag: tag.to_owned(), ..Self::default() }
    }

    #[must_use]
    pub fn attr(mut self, name: &str, value: impl ToString) -> Self {
        self.attrs.insert(name.to_owned(), value.to_string());
        self
    }

    #[must_use]
    pub fn child(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    #[must_use]
    pub fn bytes(mut self, content: &[u8]) -> Self {
        self.content = Some(BASE64_STANDARD.encode(content));
        self
    }

    /// Fails in words when it cannot be sent.
    pub(crate) fn node(&self) -> Result<Node> {
        ensure!(!self.tag.is_empty(), "a stanza needs a tag");
        ensure!(self.content.is_none() || self.children.is_empty(), "<{}> has children and content", self.tag);
        let node = NodeBuilder::new_dynamic(self.tag.clone());
        let mut node = match &self.content {
            Some(content) => node.bytes(BASE64_STANDARD.decode(content)?).build(),
            None if self.children.is_empty() => node.build(),
            None => node.children(self.children.iter().map(Self::node).collect::<Result<Vec<_>>>()?).build(),
        };
        for (name, value) in &self.attrs {
            node.attrs.insert(name.clone(), value.clone());
        }
        Ok(node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stanza_with_children_and_content_is_refused() {
        let both = Stanza::new("a").child(Stanza::new("b")).bytes(b"c");
        both.node().unwrap_err();
        Stanza::new("").node().unwrap_err();
        assert_eq!(Stanza::new("a").child(Stanza::new("b").attr("c", 1)).node().unwrap().tag, "a");
    }
}
