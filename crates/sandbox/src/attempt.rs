//! One attempt to have a text sent, whichever carrier is asked: the faults before the carrier looks
//! at it, and the answer or the lack of one.

use std::time::Duration;

use http::Response;
use tokio::sync::oneshot;

use crate::{
    app::App,
    dice::Dice,
    faults::Faults,
    range::Range,
    reply::{Answer, Cut, Reply},
};

/// How long the answer waits for a receipt that is to come before it.
const BEFORE_RESPONSE: Duration = Duration::from_secs(2);

/// One attempt, with the faults that it may meet.
pub(crate) struct Attempt<'a> {
    pub(crate) app: &'a App,
    pub(crate) faults: &'a Faults,
    pub(crate) dice: Dice,
    /// How long the account's answers take, in milliseconds.
    pub(crate) latency: Range,
}

/// Why a carrier does not look at a request.
pub(crate) enum Busy {
    /// There are too many at once. Holds the seconds after which to come back.
    TooMany(u32),
    /// It is out of order for the moment.
    Unavailable,
}

/// A text that is in the ledger.
pub(crate) struct Accepted {
    pub(crate) answer: Response<Reply>,
    /// Ends when the receipt that must come first has been made.
    pub(crate) receipt_first: Option<oneshot::Receiver<()>>,
}

impl Attempt<'_> {
    /// Whether the connection is reset before anything is accepted: the caller hears nothing.
    pub(crate) async fn is_reset(&self) -> bool {
        let is_reset = self.strikes("reset_before", self.faults.reset_before);
        if is_reset {
            self.pause().await;
        }
        is_reset
    }

    /// Why the carrier does not look at the request, where the faults want that.
    pub(crate) fn busy(&self) -> Option<Busy> {
        let Faults { http_429, http_5xx_before, .. } = self.faults;
        if self.strikes("http_429", http_429.rate) {
            return Some(Busy::TooMany(http_429.retry_after));
        }
        self.strikes("http_5xx_before", *http_5xx_before).then_some(Busy::Unavailable)
    }

    /// The code that the faults refuse the request with.
    pub(crate) fn refusal(&self) -> Option<u32> {
        self.faults.refuse.draw(self.dice.text("refuse"))
    }

    /// Answers as the faults want it: with what was decided, a refusal by its code, or not at all.
    /// `internal` is the carrier's word for an error of its own.
    pub(crate) async fn answer(
        &self,
        decided: Result<Accepted, (u32, Response<Reply>)>,
        internal: impl FnOnce() -> Response<Reply>,
    ) -> Answer {
        let accepted = match decided {
            Ok(accepted) => accepted,
            Err((code, response)) => {
                self.app.state().stats.refused(code);
                self.pause().await;
                return Ok(response);
            }
        };

        if let Some(receipt) = accepted.receipt_first {
            // An error says that the receipt was dropped or took too long: the answer goes out.
            let _ = tokio::time::timeout(BEFORE_RESPONSE, receipt).await;
        }
        self.pause().await;
        if self.strikes("lost_response", self.faults.lost_response) {
            Err(Cut::Close)
        } else if self.strikes("http_5xx_after", self.faults.http_5xx_after) {
            Ok(internal())
        } else {
            Ok(accepted.answer)
        }
    }

    /// Whether a fault happens, counted when it does.
    fn strikes(&self, name: &'static str, rate: f64) -> bool {
        let hit = self.dice.text(name).hits(rate);
        if hit {
            self.app.state().stats.fault(name);
        }
        hit
    }

    /// Waits for as long as the faults delay the answer.
    async fn pause(&self) {
        let ms = self.dice.text("latency").within(self.latency);
        if ms > 0 {
            tokio::time::sleep(Duration::from_millis(ms)).await;
        }
    }
}
