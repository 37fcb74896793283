//! A transport that can be blocked: the client's frames are then never sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use whatsapp_rust::async_channel::Receiver;
use whatsapp_rust::async_trait;
use whatsapp_rust::bytes::Bytes;
use whatsapp_rust::transport::{TokioWebSocketTransportFactory, Transport, TransportEvent, TransportFactory};

#[derive(Clone, Default)]
pub struct Gate(Arc<AtomicBool>);

impl Gate {
    pub fn shut(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

pub struct GatedFactory {
    pub inner: TokioWebSocketTransportFactory,
    pub gate: Gate,
}

struct Gated {
    inner: Arc<dyn Transport>,
    gate: Gate,
}

#[async_trait]
impl TransportFactory for GatedFactory {
    async fn create_transport(&self) -> anyhow::Result<(Arc<dyn Transport>, Receiver<TransportEvent>)> {
        let (inner, events) = self.inner.create_transport().await?;
        Ok((Arc::new(Gated { inner, gate: self.gate.clone() }), events))
    }
}

#[async_trait]
impl Transport for Gated {
    async fn send(&self, data: Bytes) -> anyhow::Result<()> {
        if self.gate.0.load(Ordering::SeqCst) {
            return Ok(());
        }
        self.inner.send(data).await
    }

    async fn disconnect(&self) {
        self.inner.disconnect().await;
    }
}
