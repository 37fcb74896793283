// This file was generated with `clorinde`. Do not modify.

pub mod credentials;
pub mod keyrings;
