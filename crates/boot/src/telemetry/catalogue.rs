//! What each metric counts, as `/metrics` says it (`# HELP`). A test compares the names with those
//! that the code counts under.

/// How a metric is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// Only grows, from the start of the process.
    Counter,
    /// As it is now.
    Gauge,
    /// How often which size was seen.
    Histogram,
}

use MetricKind::{Counter, Gauge, Histogram};

/// Every metric: its name, how it is read, and what it counts.
pub const CATALOGUE: [(&str, MetricKind, &str); 67] = [
    ("millrace_ack_failures_total", Counter, "Acks that the broker did not confirm"),
    ("millrace_broker_errors_total", Counter, "Errors that the connection to NATS reported"),
    ("millrace_broker_slow_consumer_total", Counter, "Times that NATS dropped deliveries to us"),
    ("millrace_carrier_answers_total", Counter, "Carrier calls by what they were answered"),
    (
        "millrace_code_prefixes_held_total",
        Counter,
        "Countries to which codes are no more texted for a while",
    ),
    ("millrace_counts_behind_seconds", Gauge, "Age of the oldest move that no total has yet"),
    (
        "millrace_counts_unfolded",
        Gauge,
        "Groups of counts that are not folded yet, up to their limit",
    ),
    ("millrace_database_connections_busy", Gauge, "Connections to Postgres that are in use"),
    ("millrace_database_connections_limit", Gauge, "Connections that this process may have"),
    ("millrace_dead_letters_dropped_total", Counter, "Dead letters that had to make room"),
    ("millrace_dead_letters_read_total", Counter, "Dead letters by what became of their messages"),
    ("millrace_gate_decisions_total", Counter, "Messages that gates decided, by state and gate"),
    (
        "millrace_http_connections_closed_total",
        Counter,
        "Connections closed to make room for others",
    ),
    (
        "millrace_http_request_seconds",
        Histogram,
        "Time that requests took, by route; by resource where no messages pass",
    ),
    ("millrace_http_requests_total", Counter, "Requests by method, route and status"),
    (
        "millrace_http_unlogged_total",
        Counter,
        "Problems of requests that the log had no room for, by their kind",
    ),
    (
        "millrace_in_doubt_messages",
        Gauge,
        "Texts of which it is not known whether the carrier has them",
    ),
    ("millrace_in_doubt_resolved_total", Counter, "Doubts that have ended, by the evidence"),
    ("millrace_in_doubt_total", Counter, "Carrier calls whose result was not known"),
    ("millrace_ingress_frame_messages", Histogram, "Messages of requests that shared a frame"),
    ("millrace_ingress_keys_total", Counter, "Idempotency keys by whether they could be looked up"),
    (
        "millrace_media_object_errors_total",
        Counter,
        "Objects of media that could not be written or removed",
    ),
    ("millrace_media_total", Counter, "Tries to fetch media, by what came of them"),
    ("millrace_notices_total", Counter, "Codes and links by channel and what became of them"),
    (
        "millrace_open_numbers_settled_total",
        Counter,
        "Orders and releases of numbers that their account's list has settled, by outcome",
    ),
    ("millrace_parked_messages", Gauge, "Messages put aside, until a time or until a cause ends"),
    ("millrace_process_memory_bytes", Gauge, "Memory that this process has"),
    ("millrace_publish_blocked", Gauge, "Publishes that wait for a full or absent stream"),
    ("millrace_publish_failures_total", Counter, "Publishes that were not confirmed, by reason"),
    ("millrace_publish_seconds", Histogram, "Time until a batch of publishes was on disk"),
    (
        "millrace_receipt_fetches_total",
        Counter,
        "Texts fetched from carriers for want of a receipt",
    ),
    ("millrace_receipts_dropped_total", Counter, "Receipts that could not be read"),
    ("millrace_receipts_missing_total", Counter, "Texts for which no receipt is expected any more"),
    ("millrace_receipts_unmatched_total", Counter, "Receipts of texts that are not known yet"),
    ("millrace_replies_total", Counter, "Texts and bursts by what the assistant made of them"),
    ("millrace_replies_under_way", Gauge, "Conversations that the model is asked about"),
    ("millrace_replies_waiting", Gauge, "Conversations that wait for a place at the model"),
    ("millrace_reply_lookup_seconds", Histogram, "Time that calls of an assistant's tools took"),
    ("millrace_reply_lookups_total", Counter, "Calls of assistants' tools, by what came of them"),
    (
        "millrace_reply_model_seconds",
        Histogram,
        "Time from a question to the model's answer, tools included",
    ),
    ("millrace_reply_tokens_total", Counter, "Tokens of the model: read, from its cache, written"),
    ("millrace_retention_oldest_timestamp_seconds", Gauge, "Time of the oldest row that is kept"),
    ("millrace_retention_rows_total", Counter, "Rows removed for their age, by table"),
    ("millrace_retention_texts_total", Counter, "Texts removed for their age, by table"),
    ("millrace_rows_left_out_total", Counter, "Rows of a newer version that were passed over"),
    ("millrace_second_texts_total", Counter, "Messages of which a carrier has two texts"),
    ("millrace_sender_health_changes_total", Counter, "Changes of senders' health, by cause"),
    ("millrace_source_tick_seconds", Histogram, "Time that one look of a source took"),
    ("millrace_stage_batch_seconds", Histogram, "Time that a stage took for one hand-over"),
    ("millrace_stage_batch_size", Histogram, "Messages in one hand-over to a stage"),
    ("millrace_stage_dead_letters_total", Counter, "Messages that a stage gave up, by cause"),
    ("millrace_stage_faults_total", Counter, "Faults of stages and sources"),
    ("millrace_stage_in_flight", Gauge, "Messages that this process holds"),
    ("millrace_stage_lag_messages", Gauge, "Frames of a consumer that are not acked, anywhere"),
    ("millrace_stage_messages_total", Counter, "Messages that a stage has answered, by outcome"),
    ("millrace_stage_oldest_unacked_seconds", Gauge, "Age of a consumer's oldest frame not acked"),
    ("millrace_stage_parked_total", Counter, "Messages that a stage put aside, by cause"),
    ("millrace_stage_redeliveries_total", Counter, "Frames that were delivered before"),
    ("millrace_stream_bytes", Gauge, "Bytes that a stream holds"),
    ("millrace_stream_limit_bytes", Gauge, "Bytes that a stream may hold"),
    ("millrace_stream_oldest_timestamp_seconds", Gauge, "Time of a stream's oldest entry"),
    ("millrace_stream_purged_total", Counter, "Entries that were read and made room"),
    (
        "millrace_stream_unread_bytes",
        Gauge,
        "Bytes of a stream that one of our readers has not read",
    ),
    (
        "millrace_template_lists_total",
        Counter,
        "Lists of carriers' templates, by what came of them",
    ),
    ("millrace_texts_to_nobody_total", Counter, "Texts to numbers that no tenant has"),
    (
        "millrace_webhook_parts_unread_total",
        Counter,
        "Parts of webhooks that could not be read, where others could",
    ),
    ("millrace_webhook_refused_total", Counter, "Webhooks whose signature did not match"),
];

/// Says what each metric counts to the recorder that is installed.
pub(super) fn describe() {
    for (name, kind, help) in CATALOGUE {
        match kind {
            Counter => metrics::describe_counter!(name, help),
            Gauge => metrics::describe_gauge!(name, help),
            Histogram => metrics::describe_histogram!(name, help),
        }
    }
}
