//! Who may do what in the schema, as the migrations grant it: `millrace doctor` and a test hold
//! what the database grants against it.

use super::scope::Role;

const API: &[Role] = &[Role::Api];
const PIPELINE: &[Role] = &[Role::Pipeline];
const BOTH: &[Role] = &[Role::Api, Role::Pipeline];
/// Migrations alone call it, as the owner, or a trigger.
const NOBODY: &[Role] = &[];

/// Every function and procedure, and who may call it beside the owner.
pub const CALLERS: [(&str, &[Role]); 85] = [
    ("account_is_away", BOTH),
    ("account_rate", PIPELINE),
    ("account_sharers", PIPELINE),
    ("accounts_directory", API),
    ("accounts_with_open_numbers", PIPELINE),
    ("active_campaigns", PIPELINE),
    ("add_counts", PIPELINE),
    ("add_stamp", PIPELINE),
    ("aged_media", PIPELINE),
    ("aged_totals", PIPELINE),
    ("all_accounts", API),
    ("brands_in_scope", API),
    ("brands_of_limits", NOBODY),
    ("companies_of", API),
    ("companies_of_person", API),
    ("count_folded", NOBODY),
    ("count_gone", NOBODY),
    ("count_made", NOBODY),
    ("count_moved", NOBODY),
    ("count_nothing", NOBODY),
    ("counters_after", PIPELINE),
    ("doubts_count", PIPELINE),
    ("due_bursts", PIPELINE),
    ("due_doubts", PIPELINE),
    ("due_media", PIPELINE),
    ("due_parked", PIPELINE),
    ("due_receipt_watches", PIPELINE),
    ("due_template_syncs", PIPELINE),
    ("due_unmatched_receipts", PIPELINE),
    ("end_account_rest", API),
    ("end_codes", PIPELINE),
    ("ended_campaigns_after", PIPELINE),
    ("find_api_key", API),
    ("find_invitation", API),
    ("find_key", API),
    ("find_key_owner", API),
    ("fold_waiting", NOBODY),
    ("imports_with_aged_rows", PIPELINE),
    ("inboxes_in_scope", API),
    ("inboxes_of_limits", NOBODY),
    ("invitation_of_code", API),
    ("is_platform_account", API),
    ("keep_counts_limit", NOBODY),
    ("keep_first_address", NOBODY),
    ("keep_sender_group", NOBODY),
    ("late_doubts", PIPELINE),
    ("limit_counts", PIPELINE),
    ("lock_waiting", NOBODY),
    ("member_of_session", API),
    ("note_doubts", NOBODY),
    ("note_parked", NOBODY),
    ("note_unpublished", NOBODY),
    ("open_to_lookups", NOBODY),
    ("open_doubts", PIPELINE),
    ("open_wakes", PIPELINE),
    ("pace_lines", PIPELINE),
    ("parked_causes", NOBODY),
    ("parked_count", PIPELINE),
    ("past_claims", PIPELINE),
    ("platform_mode", BOTH),
    ("protect", NOBODY),
    ("retention_waiting", PIPELINE),
    ("rows_by_age", PIPELINE),
    ("seen_now", PIPELINE),
    ("sender_owners", PIPELINE),
    ("senders_in_line", PIPELINE),
    ("senders_in_line_of", PIPELINE),
    ("senders_to_judge", PIPELINE),
    ("state_detail", BOTH),
    ("session_member", API),
    ("stood", BOTH),
    ("take_cancel_marks", PIPELINE),
    ("tenants_after", API),
    ("tenants_in_scope", BOTH),
    ("tenants_with_aged", PIPELINE),
    ("tenants_with_aged_merges", PIPELINE),
    ("tenants_with_ended_keys", PIPELINE),
    ("tenants_with_lone_conflicts", PIPELINE),
    ("tenants_with_old_outcomes", PIPELINE),
    ("tenants_with_parked", PIPELINE),
    ("tenants_with_unsaid_events", API),
    ("unfolded_counts", PIPELINE),
    ("unpublished_totals", PIPELINE),
    ("unpublished_transitions", API),
    ("waiting_count", NOBODY),
];

/// Tables that a role may not select from, insert into, update or delete from: in every other it
/// may. By role and privilege, the tables separated by blanks.
pub const KEPT_FROM: [(Role, &str, &str); 8] = [
    (
        Role::Api,
        "select",
        "account_pace account_turns platform_accounts reply_bursts retention_waits \
         retention_walks unpublished_heads waiting_changes waiting_heads waiting_totals",
    ),
    (
        Role::Api,
        "insert",
        "account_pace account_shares account_turns assistant_usage batch_keys \
         ended_recipients free_service_messages full_counts platform_accounts reply_bursts \
         retention_waits retention_walks sender_days sender_outcomes unpublished_heads \
         waiting_heads waiting_totals",
    ),
    (
        Role::Api,
        "update",
        "account_pace account_shares account_turns assistant_usage audit_log batch_keys \
         consents ended_recipients free_service_messages full_counts notices \
         platform_accounts policies reply_bursts retention_waits retention_walks \
         review_decisions sender_days sender_outcomes template_versions unpublished_heads \
         waiting_changes waiting_heads waiting_totals whatsapp_rates",
    ),
    (
        Role::Api,
        "delete",
        "account_pace account_shares account_turns assistant_usage audit_heads audit_log \
         batch_keys consents ended_recipients free_service_messages full_counts notices \
         platform_accounts platform_url policies reply_bursts retention_waits retention_walks \
         review_decisions sender_days sender_outcomes template_versions unpublished_heads \
         waiting_changes waiting_heads waiting_totals",
    ),
    (
        Role::Pipeline,
        "select",
        "brands canned_answers code_counts codes event_consumers held_prefixes invitations \
         members persons refresh_tokens sessions waiting_changes waiting_heads waiting_totals",
    ),
    (
        Role::Pipeline,
        "insert",
        "account_shares assistant_settings assistant_tools brands canned_answers code_counts \
         codes event_consumers full_counts held_prefixes inboxes invitations members notices \
         numbers persons platform_accounts platform_switch refresh_tokens retention_walks \
         sessions waiting_heads waiting_totals whatsapp_rates",
    ),
    (
        Role::Pipeline,
        "update",
        "account_shares assistant_settings assistant_tools audit_log brands canned_answers \
         code_counts codes consents event_consumers full_counts held_prefixes inboxes \
         invitations members persons platform_accounts platform_switch platform_url policies \
         refresh_tokens review_decisions sessions template_versions waiting_changes \
         waiting_heads waiting_totals whatsapp_rates",
    ),
    (
        Role::Pipeline,
        "delete",
        "account_shares assistant_settings assistant_tools audit_heads audit_log brands \
         canned_answers code_counts codes consents event_consumers full_counts held_prefixes \
         inboxes invitations members persons platform_accounts platform_switch platform_url \
         policies refresh_tokens retention_walks review_decisions sessions template_versions \
         waiting_changes waiting_heads waiting_totals whatsapp_rates",
    ),
];
