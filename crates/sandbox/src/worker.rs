//! The one task that does planned work when it is due.

use std::sync::Arc;

use crate::{app::App, inbound, job::Job, posting, receipts};

/// After this many jobs the task lets others run.
const JOBS_PER_TURN: usize = 128;

/// Does the work when it is due, until it is aborted.
pub(crate) async fn run(app: Arc<App>) {
    loop {
        let (due, next_at) = app.schedule.take_due();
        for (i, job) in due.into_iter().enumerate() {
            perform(&app, job);
            app.schedule.done();
            if i % JOBS_PER_TURN == JOBS_PER_TURN - 1 {
                tokio::task::yield_now().await;
            }
        }

        app.schedule.wait(next_at).await;
    }
}

fn perform(app: &Arc<App>, job: Job) {
    match job {
        Job::Step(next) => receipts::take_step(app, next),
        Job::Say(reaction) => inbound::say(app, reaction),
        Job::Post(delivery) => posting::post(app, delivery),
    }
}
