use std::sync::Arc;

use crate::{
    departure::Farewell,
    ports::{Gateway, Store},
};

/// What every actor is given.
#[derive(Clone)]
pub struct World {
    pub store: Arc<dyn Store>,
    pub gateway: Arc<dyn Gateway>,
    /// Tells the supervisor that the actor is gone.
    pub farewell: Farewell,
    /// Where input and output run, also what outlives an actor.
    pub runtime: tokio::runtime::Handle,
}
