-- Who may call which function. Postgres lets everybody execute a new function: that default is global,
-- and what 0001 revokes in the schema alone takes nothing from it.

alter default privileges for role millrace_owner revoke execute on functions from public;
revoke execute on all routines in schema millrace from public, millrace_api, millrace_pipeline;

-- What statements of both roles call.
grant execute on function tenants_in_scope() to millrace_api, millrace_pipeline;
grant execute on function stood(standings) to millrace_api, millrace_pipeline;
grant execute on function platform_mode() to millrace_api, millrace_pipeline;

-- What the stages call.
grant execute on function add_stamp(jsonb, jsonb) to millrace_pipeline;
grant execute on function take_cancel_marks(text[], uuid[]) to millrace_pipeline;
grant execute on function due_parked(timestamptz, bigint, bigint, text[]) to millrace_pipeline;
grant execute on function parked_count() to millrace_pipeline;
grant execute on function open_wakes(timestamptz, bigint) to millrace_pipeline;
grant execute on function active_campaigns() to millrace_pipeline;
grant execute on function unpublished_totals(bigint) to millrace_pipeline;
grant execute on function past_claims(double precision, bigint) to millrace_pipeline;
grant execute on function due_doubts(bigint, bigint) to millrace_pipeline;
grant execute on function doubts_count() to millrace_pipeline;
grant execute on function due_receipt_watches(timestamptz, bigint, bigint) to millrace_pipeline;
grant execute on function due_unmatched_receipts(bigint) to millrace_pipeline;
grant execute on function sender_owners(text[], text[]) to millrace_pipeline;

-- What the api calls, and the commands that work as it does.
grant execute on function find_api_key(bytea) to millrace_api;
grant execute on function all_accounts() to millrace_api; -- by a version before 0022
grant execute on function accounts_directory() to millrace_api;
grant execute on function is_platform_account(text) to millrace_api;
grant execute on function end_account_rest(text) to millrace_api;
grant execute on function unpublished_transitions(bigint) to millrace_api;
grant execute on function tenants_with_unsaid_events(bigint) to millrace_api;
grant execute on function tenants_after(text, bigint) to millrace_api;
