//! A small mail server, which takes mail for everybody and delivers it to nobody: `GET
//! /sandbox/mail` shows it. As much of RFC 5321 as clients need to hand a mail over, without TLS
//! and without passwords.

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::{app::App, clock::machine_now, mail::Mail};

/// The most conversations at a time; further ones wait to be accepted.
const MAX_CONNECTIONS: usize = 64;

/// The longest line, in bytes: twice what RFC 5321 allows.
const MAX_LINE: u64 = 2_000;

/// The largest mail, in bytes.
pub(crate) const MAX_MAIL: usize = 256 * 1024;

/// The most recipients of one mail.
const MAX_RECIPIENTS: usize = 100;

/// How long a client may say nothing.
const PATIENCE: Duration = Duration::from_secs(60);

/// Takes mail until the stop.
pub(crate) async fn listen(listener: TcpListener, app: Arc<App>, stop: CancellationToken) {
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(permit) = permits.clone().acquire_owned().await else { return };
        let Some(accepted) = stop.run_until_cancelled(listener.accept()).await else { return };
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors, as a rule: trying at once would only spin.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };

        let (app, stop) = (app.clone(), stop.clone());
        tokio::spawn(async move {
            // A client that goes away, or says too much, ends its own conversation alone.
            let _ = stop.run_until_cancelled(converse(stream, &app)).await;
            drop(permit);
        });
    }
}

/// What a client has said of the mail to come.
#[derive(Default)]
struct Envelope {
    from: Option<String>,
    to: Vec<String>,
}

/// Talks to a client until it leaves.
async fn converse(stream: TcpStream, app: &App) -> std::io::Result<()> {
    let mut client = BufReader::new(stream);
    let mut envelope = Envelope::default();
    say(&mut client, "220 sandbox ready").await?;

    while let Some(line) = line(&mut client).await? {
        let upper = line.to_ascii_uppercase();
        let (verb, _) = upper.split_once([' ', ':']).unwrap_or((&upper, ""));
        let answer = match verb {
            "EHLO" => {
                envelope = Envelope::default();
                &format!("250-sandbox\r\n250-8BITMIME\r\n250 SIZE {MAX_MAIL}")
            }
            "HELO" | "RSET" => {
                envelope = Envelope::default();
                "250 sandbox"
            }
            "NOOP" => "250 fine",
            "VRFY" => "252 everybody gets mail here",
            "MAIL" => match path(&line) {
                Some(from) => {
                    envelope = Envelope { from: Some(from), to: Vec::new() };
                    "250 fine"
                }
                None => "501 MAIL FROM:<address>",
            },
            "RCPT" if envelope.from.is_none() => "503 MAIL first",
            "RCPT" if envelope.to.len() == MAX_RECIPIENTS => "452 too many recipients",
            "RCPT" => match path(&line) {
                Some(to) => {
                    envelope.to.push(to);
                    "250 fine"
                }
                None => "501 RCPT TO:<address>",
            },
            "DATA" if envelope.to.is_empty() => "503 RCPT first",
            "DATA" => {
                say(&mut client, "354 end with a dot on a line of its own").await?;
                let Some(raw) = data(&mut client).await? else { return Ok(()) };
                keep(app, std::mem::take(&mut envelope), raw)
            }
            "QUIT" => return say(&mut client, "221 bye").await,
            _ => "502 the sandbox does not know this command",
        };
        say(&mut client, answer).await?;
    }
    Ok(())
}

/// Keeps a mail that came whole; what its client is told.
fn keep(app: &App, envelope: Envelope, raw: Option<Vec<u8>>) -> &'static str {
    let Some(raw) = raw else { return "552 a mail has at most 256 KiB" };
    let mail = Mail::read(envelope.from.unwrap_or_default(), envelope.to, &raw, machine_now());
    app.state().mail.add(mail);
    "250 taken"
}

/// What stands between angle brackets.
fn path(line: &str) -> Option<String> {
    let (_, rest) = line.split_once('<')?;
    Some(rest.split_once('>')?.0.to_owned())
}

async fn say(client: &mut BufReader<TcpStream>, answer: &str) -> std::io::Result<()> {
    client.get_mut().write_all(format!("{answer}\r\n").as_bytes()).await
}

/// The next line without its end; none once the client has left or says too much at once.
async fn bytes(client: &mut BufReader<TcpStream>) -> std::io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let mut limited = client.take(MAX_LINE);
    let read = timeout(PATIENCE, limited.read_until(b'\n', &mut line)).await;
    match read {
        Ok(Ok(_)) if line.ends_with(b"\n") => {
            line.pop();
            line.pop_if(|last| *last == b'\r');
            Ok(Some(line))
        }
        Ok(Ok(_)) | Err(_) => Ok(None),
        Ok(Err(error)) => Err(error),
    }
}

async fn line(client: &mut BufReader<TcpStream>) -> std::io::Result<Option<String>> {
    let line = bytes(client).await?;
    Ok(line.map(|line| String::from_utf8_lossy(&line).into_owned()))
}

/// A mail up to its dot, without the dots that were added to lines. The inner none: it was too
/// long. The outer: the client has left.
async fn data(client: &mut BufReader<TcpStream>) -> std::io::Result<Option<Option<Vec<u8>>>> {
    let mut raw = Vec::new();
    while let Some(line) = bytes(client).await? {
        if line == b"." {
            return Ok(Some((raw.len() <= MAX_MAIL).then_some(raw)));
        }
        if raw.len() <= MAX_MAIL {
            raw.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            raw.extend_from_slice(b"\r\n");
        }
    }
    Ok(None)
}
