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
    /// Runs, whose median is held against the baseline; 0 leaves them out
    #[arg(long, default_value_t = 3, value_name = "N")]
    pub runs: usize,
    /// Measure other shapes of the load too: a carrier of 20 ms, single posts, and 8 processes of
    /// send beside one
    #[arg(long, conflicts_with_all = ["hold_xmin", "purge", "inbound"])]
    pub full: bool,
    /// Measure a campaign to so many people too: its last tenth beside its first
    #[arg(long, value_name = "PEOPLE", conflicts_with_all = ["hold_xmin", "purge", "inbound"])]
    #[arg(value_parser = clap::value_parser!(u64).range(10_000..=5_000_000))]
    pub campaign: Option<u64>,
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
    /// Whether it is the load that the committed baseline was measured with.
    pub fn is_the_baselines(&self) -> bool {
        let load = (self.messages, self.seconds, self.tenants, self.opt_outs);
        load == (20_000, None, 20, 100_000)
    }
}
