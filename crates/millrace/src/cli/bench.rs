//! The words of `millrace bench`.

use clap::Args;

/// `millrace bench [--messages N]`
#[derive(Debug, Args)]
pub struct Bench {
    /// Messages to send
    #[arg(long, default_value_t = 20_000, value_name = "N")]
    pub messages: usize,
    /// Send for this long instead, in seconds
    #[arg(long, value_name = "SECONDS")]
    pub seconds: Option<u64>,
    /// Tenants to spread the messages over
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub tenants: usize,
    /// Opt-outs loaded beforehand, over all tenants
    #[arg(long, default_value_t = 100_000, value_name = "N")]
    pub opt_outs: usize,
    /// Runs, whose median is held against the baseline
    #[arg(long, default_value_t = 3, value_name = "N")]
    pub runs: usize,
    /// Measure instead what a reader costs that holds its snapshot for so long, in seconds, and
    /// then a dump of the database
    #[arg(long, value_name = "SECONDS", conflicts_with_all = ["seconds", "messages", "runs"])]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub hold_xmin: Option<u64>,
    /// Measure instead what retention costs that removes old messages, for so long, in seconds
    #[arg(long, value_name = "SECONDS", conflicts_with_all = ["seconds", "messages", "runs"])]
    #[arg(conflicts_with = "hold_xmin", value_parser = clap::value_parser!(u64).range(1..))]
    pub purge: Option<u64>,
    /// Measure instead what people write, at 2,000 texts a second of which 200 are answered, for so
    /// long, in seconds
    #[arg(long, value_name = "SECONDS", conflicts_with_all = ["seconds", "messages", "runs"])]
    #[arg(conflicts_with_all = ["hold_xmin", "purge"])]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub inbound: Option<u64>,
}

impl Bench {
    /// How long the periods without a reader and beside a dump are, in seconds: a minute, or as
    /// long as the snapshot is held where that is shorter.
    pub fn beside(hold: u64) -> u64 {
        hold.min(60)
    }

    /// For how long messages are submitted, in seconds; none where their number is given.
    pub fn load_seconds(&self) -> Option<u64> {
        let held = self.hold_xmin.map(|hold| hold + 2 * Self::beside(hold));
        held.or(self.purge.map(|purge| 2 * purge)).or(self.seconds)
    }

    /// Whether it is the load that the committed baseline was measured with.
    pub fn is_the_baselines(&self) -> bool {
        let load = (self.messages, self.seconds, self.tenants, self.opt_outs);
        load == (20_000, None, 20, 100_000)
    }
}
