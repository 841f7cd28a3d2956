-- The batch that has taken a caller's key: another one under it is a conflict, also where it only
-- adds to the first, whose new items have no row that could tell.
create table batch_keys (
    tenant_id text not null,
    batch_id uuid not null,                      -- domain::ids::batch_id of the key
    body_hash bytea not null,                    -- SHA-256 of all that the batch says
    at timestamptz not null,                     -- business time at which its first item was stored
    primary key (tenant_id, batch_id)
);
call protect('batch_keys');
call open_to_lookups('batch_keys');
create index batch_keys_by_age on batch_keys (at);
revoke insert, update, delete on batch_keys from millrace_api;

-- As in 0029, with batch_keys.
create or replace function tenants_with_aged(aged text, until timestamptz, at_most bigint)
    returns table (tenant_id text)
    language plpgsql stable security definer set search_path = millrace, pg_temp
    as $$
begin
    if aged = 'inbound_texts' then
        return query select distinct o.tenant_id from (
            select t.tenant_id from inbound_texts t where t.received_at <= until order by t.received_at limit at_most) o;
    elsif aged = 'ai_replies' then
        return query select distinct o.tenant_id from (
            select t.tenant_id from ai_replies t where t.at <= until order by t.at limit at_most) o;
    elsif aged = 'counted_events' then
        return query select distinct o.tenant_id from (
            select t.tenant_id from counted_events t where t.counted_at <= until order by t.counted_at limit at_most) o;
    elsif aged = 'idempotency_keys' then
        return query select distinct o.tenant_id from (
            select t.tenant_id from idempotency_keys t where t.created_at <= until order by t.created_at limit at_most) o;
    elsif aged = 'batch_keys' then
        return query select distinct o.tenant_id from (
            select t.tenant_id from batch_keys t where t.at <= until order by t.at limit at_most) o;
    elsif aged = 'cancel_marks' then
        return query select distinct o.tenant_id from (
            select t.tenant_id from cancel_marks t where t.at <= until order by t.at limit at_most) o;
    elsif aged = 'taken_sids' then
        return query select distinct o.tenant_id from (
            select t.tenant_id from taken_sids t where t.taken_at <= until order by t.taken_at limit at_most) o;
    elsif aged = 'budget_alerts' then
        return query select distinct o.tenant_id from (
            select t.tenant_id from budget_alerts t where t.window_start <= until order by t.window_start limit at_most) o;
    elsif aged = 'imports' then
        return query select distinct o.tenant_id from (
            select t.tenant_id from imports t where t.created_at <= until order by t.created_at limit at_most) o;
    end if;
end $$;
