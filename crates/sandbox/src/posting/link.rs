//! One kept HTTP/1.1 connection to a host. The call that uses the connection drives it, which saves
//! a task and its wake-ups.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::Poll,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, header::HOST};
use hyper::{
    body::{Body, Incoming},
    client::conn::http1::{self, Connection, SendRequest},
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::{delivery::Delivery, reply::Reply};

/// A connection that takes one call at a time.
pub(super) struct Link {
    sender: SendRequest<Reply>,
    connection: Pin<Box<Connection<TokioIo<TcpStream>, Reply>>>,
    /// The connection has come to its end and must not be polled again.
    ended: bool,
}

impl Link {
    /// Connects; `None` when that fails.
    pub(super) async fn open(address: &str) -> Option<Self> {
        let stream = TcpStream::connect(address).await.ok()?;
        stream.set_nodelay(true).ok()?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
        Some(Self { sender, connection: Box::pin(connection), ended: false })
    }

    /// Makes a call and reads its answer to the end; `None` when the connection is of no more use.
    pub(super) async fn exchange(&mut self, delivery: &Delivery) -> Option<StatusCode> {
        let Self { sender, connection, ended } = self;
        if *ended {
            return None;
        }

        let answer = async {
            let request = request(delivery)?;
            sender.ready().await.ok()?;
            let response = sender.send_request(request).await.ok()?;
            let status = response.status();
            read_to_end(response.into_body()).await?;
            Some(status)
        };

        let mut answer = std::pin::pin!(answer);
        poll_fn(|cx| {
            if let Poll::Ready(status) = answer.as_mut().poll(cx) {
                return Poll::Ready(status);
            }
            match connection.as_mut().poll(cx) {
                // The last answer may have come with the end of the connection.
                Poll::Ready(_) => {
                    *ended = true;
                    match answer.as_mut().poll(cx) {
                        Poll::Ready(status) => Poll::Ready(status),
                        Poll::Pending => Poll::Ready(None),
                    }
                }
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }
}

fn request(delivery: &Delivery) -> Option<Request<Reply>> {
    let path = delivery.uri.path_and_query()?.clone();
    let mut request = Request::new(Reply::Whole(delivery.body.clone()));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = Uri::from(path);

    let host = HeaderValue::from_str(delivery.uri.authority()?.as_str()).ok()?;
    let mut headers = HeaderMap::with_capacity(delivery.headers.len() + 2);
    headers.insert(HOST, host);
    headers.extend(delivery.headers.iter().map(|(name, value)| (name.clone(), value.clone())));
    *request.headers_mut() = headers;
    Some(request)
}

/// Reads and forgets a body, so that the connection can be used again.
async fn read_to_end(mut body: Incoming) -> Option<()> {
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let _: Bytes = frame.ok()?.into_data().unwrap_or_default();
    }
    Some(())
}
