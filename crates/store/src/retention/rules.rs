//! Every table and for how long its rows are kept: what docs/operating.md says in words.

/// What becomes of a table's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetentionRule {
    /// They are what the tenant or the platform has set up, or who its people are: as many as there
    /// are things, whatever time passes. They go when somebody deletes them.
    Settings,
    /// A row per message, person or line that goes when its work is done, by whoever does it.
    Work,
    /// Sums and heads: as many as there are things to sum up.
    Sums,
    /// The ledger of consent and the audit trail: nothing removes them, so they are kept for the
    /// five years that they are needed at least.
    Ledger,
    /// Messages: their texts by `MILLRACE_RETAIN_TEXT`, the rows by `MILLRACE_RETAIN_MESSAGES`.
    Messages,
    /// They go with the message that they hang on; those that hang on none, by their own age, as
    /// long as messages.
    WithMessage,
    /// They go with their message; those that never had one, as long after their campaign.
    Recipients,
    /// Texts of conversations: by `MILLRACE_RETAIN_TEXT`, the rows by `MILLRACE_RETAIN_MESSAGES`.
    /// Notes and acts go with the texts, a conversation with the row of its last one.
    Conversation,
    /// By `MILLRACE_RETAIN_TEXT` from their arrival, objects and rows together: the stage that has
    /// the object store removes them.
    Media,
    /// By their own age, as long as messages.
    AsMessages,
    /// By the setting `MILLRACE_RETAIN_IMPORT_ROWS`.
    ImportRows,
    /// A fixed time, which what they are for gives.
    Fixed,
    /// As long as their window can matter.
    Window,
}

use RetentionRule::{
    AsMessages, Conversation, Fixed, ImportRows, Ledger, Media, Messages, Recipients, Settings,
    Sums, Window, WithMessage, Work,
};

/// The rule of each table, by name.
pub const RULES: [(&str, RetentionRule); 92] = [
    ("account_pace", Settings),
    ("account_shares", Settings),
    ("account_turns", Settings),
    ("ai_replies", Conversation),
    ("api_keys", Fixed),
    ("assistant_settings", Settings),
    ("assistant_tools", Settings),
    ("assistant_usage", Sums),
    ("audit_heads", Ledger),
    ("audit_log", Ledger),
    ("batch_keys", AsMessages),
    ("brands", Settings),
    ("budget_alerts", Window),
    ("budgets", Settings),
    ("campaign_recipients", Recipients),
    ("campaign_transitions", Sums),
    ("campaigns", Settings),
    ("cancel_marks", AsMessages),
    ("canned_answers", Settings),
    ("carrier_accounts", Settings),
    ("carrier_templates", Settings),
    ("code_counts", Fixed),
    ("codes", Fixed),
    ("consents", Ledger),
    ("contact_addresses", Settings),
    ("contact_merges", Fixed),
    ("contacts", Settings),
    ("conversation_entries", Conversation),
    ("conversations", Conversation),
    ("counted_events", AsMessages),
    ("counted_messages", Work),
    ("counters", Window),
    ("doubts", Work),
    ("ended_recipients", Sums),
    ("event_consumers", Settings),
    ("free_service_messages", Window),
    ("full_counts", Work),
    ("gone_counts", Sums),
    ("held_prefixes", Fixed),
    ("idempotency_keys", Fixed),
    ("import_rows", ImportRows),
    ("imports", AsMessages),
    ("inbound_texts", Conversation),
    ("inboxes", Settings),
    ("invitations", Work),
    ("lines", Work),
    ("media", Media),
    ("members", Settings),
    ("message_conflicts", WithMessage),
    ("messages", Messages),
    ("moved_counts", Work),
    ("notices", Work),
    ("numbers", Settings),
    ("open_claims", Work),
    ("pace", Settings),
    ("pair_pace", Work),
    ("parked", Work),
    ("persons", Settings),
    ("platform_accounts", Settings),
    ("platform_switch", Settings),
    ("platform_url", Settings),
    ("policies", Settings),
    ("pools", Settings),
    ("receipt_watches", Work),
    ("refresh_tokens", Work),
    ("reply_bursts", Work),
    ("retention_waits", WithMessage),
    ("retention_walks", Sums),
    ("review_decisions", Ledger),
    ("sender_days", Window),
    ("sender_outcomes", Fixed),
    ("senders", Settings),
    ("sessions", Work),
    ("standings", Settings),
    ("switches", Settings),
    ("taken_sids", AsMessages),
    ("template_syncs", Settings),
    ("template_versions", Settings),
    ("templates", Settings),
    ("tenants", Settings),
    ("timed_totals", Fixed),
    ("total_heads", Sums),
    ("totals", Sums),
    ("unmatched_receipts", Fixed),
    ("unpublished_heads", Work),
    ("unsaid_events", Work),
    ("variant_totals", Sums),
    ("waiting_changes", Work),
    ("waiting_heads", Work),
    ("waiting_totals", Sums),
    ("wakes", Work),
    ("whatsapp_rates", Settings),
];
