-- Conversations that people and an assistant share (docs/adr/0029): whose turn it is, what has not been read, and what
-- people note beside the texts.

alter table conversations
    add column channel text not null default 'sms' check (channel in ('sms', 'whatsapp')),
    add column sender_group uuid,                -- the pool of the sender that was texted, or that sender itself
    add column address text,                     -- where the person wrote from last; of a machine its code
    add column is_person boolean not null default true, -- false: a short code or a name, which is never answered
    add column inbox_id uuid,                    -- where it is looked after; null: in none
    add column status text not null default 'open' check (status in ('open', 'snoozed', 'closed')),
    add column snoozed_until timestamptz,        -- business time from which it counts as open again
    add column owner text not null default 'assistant' check (owner in ('assistant', 'person', 'nobody')),
    add column assignee uuid,                    -- the person who looks after it; null: whoever comes first
    add column attention text check (attention in ('review', 'handoff')), -- why a person is to look at it; null: no special reason
    add column labels text[] not null default '{}' check (cardinality(labels) <= 20),
    add column unread integer not null default 0, -- texts that came since somebody has read it
    add column opened_at timestamptz,            -- business time of the first text for a person to read; null: lists pass it over
    add column last_text_at timestamptz,         -- business time of the last text, in or out: retention counts from it
    add column last_text_id uuid,                -- that text: its inbound_id, or its message_id
    add column version bigint not null default 1, -- raised with what came and what was changed: names the events
    add constraint conversations_snooze_check check (status <> 'snoozed' or snoozed_until is not null),
    add constraint conversations_assignee_check check (assignee is null or owner = 'person');

-- Conversations from before are of one sender. Each tenant's under its own scope, as in 0026.
do $$
declare
    tenant text;
begin
    for tenant in select t.tenant_id from tenants t loop
        perform set_config('millrace.tenants', tenant, true);
        update conversations v
        set sender_group = v.sender_id,
            channel = coalesce((select s.channel from senders s
                                where s.tenant_id = v.tenant_id and s.sender_id = v.sender_id), 'sms'),
            brand_id = coalesce(v.brand_id, (select s.brand_id from senders s
                                where s.tenant_id = v.tenant_id and s.sender_id = v.sender_id)),
            address = (select c.number from contacts c
                       where c.tenant_id = v.tenant_id and c.contact_id = v.contact_id),
            is_person = exists (select from contacts c
                       where c.tenant_id = v.tenant_id and c.contact_id = v.contact_id),
            opened_at = v.last_inbound_at,
            last_text_at = coalesce(v.last_inbound_at, now())
        where v.tenant_id = tenant;
    end loop;
    perform set_config('millrace.tenants', '', true);
end $$;

-- Processes from before know no groups: what they make is of its sender alone.
create function keep_sender_group()
    returns trigger
    language plpgsql set search_path = millrace, pg_temp
    as $$
begin
    new.sender_group := coalesce(new.sender_group, new.sender_id);
    return new;
end $$;
create trigger group_of_new_conversations before insert on conversations
    for each row when (new.sender_group is null) execute function keep_sender_group();

-- One conversation of a contact with a group, however many first texts come at once. The tenant is its last column
-- (docs/adr/0005).
create unique index conversations_by_group on conversations (contact_id, channel, sender_group, tenant_id);
-- In the order in which people look at them. The collation as in 0036, and for its reason.
create index conversations_by_age on conversations (tenant_id collate "C", last_text_at, conversation_id)
    where opened_at is not null;
create index conversations_to_remove on conversations (last_text_at);
call open_to_lookups('conversations');

-- Who is limited sees the conversations of their inboxes, and of their brands those that are in no inbox.
create policy brand on conversations as restrictive to millrace_api
    using ((select brands_in_scope()) is null
        or inbox_id = any ((select inboxes_in_scope())::uuid[])
        or inbox_id is null and brand_id = any ((select brands_in_scope())::uuid[]));
create policy brand on inbound_texts as restrictive to millrace_api
    using ((select brands_in_scope()) is null or exists (
        select from conversations v
        where v.tenant_id = inbound_texts.tenant_id and v.conversation_id = inbound_texts.conversation_id));

-- The inbox of a brand is chosen when its conversation opens.
grant select on inboxes to millrace_pipeline;

-- A text to a number of the tenant's account that is none of its senders': no conversation opens, and nobody answers.
alter table inbound_texts
    add column unknown_to text,                  -- the number that was texted, as the carrier writes it; null: a sender's
    add column opens boolean not null default false, -- it has opened its conversation: whoever sees it again says so again
    add column opens_inbox uuid;                 -- the inbox in which it has opened; null: in none
create index inbound_texts_to_unknown on inbound_texts (tenant_id collate "C", received_at, inbound_id)
    where unknown_to is not null;

-- What stands between the texts of a conversation: notes of people, what was done with it, and whose a reply is.
create table conversation_entries (
    tenant_id text not null,
    entry_id uuid not null,                      -- of a reply: its message_id
    conversation_id uuid not null,
    kind text not null check (kind in ('note', 'act', 'reply')),
    author text not null,                        -- API key, user or stage, as the audit trail names them
    what text not null default '',               -- of an act: what was done (domain::conversation::Act)
    body text not null default '',               -- of a note
    at timestamptz not null,                     -- business time
    primary key (tenant_id, entry_id)
);
call protect('conversation_entries');
call open_to_lookups('conversation_entries');
create index conversation_entries_in_order on conversation_entries (conversation_id, at, entry_id);
create index conversation_entries_by_age on conversation_entries (at);
create policy brand on conversation_entries as restrictive to millrace_api
    using ((select brands_in_scope()) is null or exists (
        select from conversations v
        where v.tenant_id = conversation_entries.tenant_id and v.conversation_id = conversation_entries.conversation_id));

-- As in 0038, with conversations and what stands in them.
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
    elsif aged = 'conversations' then
        return query select distinct o.tenant_id from (
            select t.tenant_id from conversations t where t.last_text_at <= until order by t.last_text_at limit at_most) o;
    elsif aged = 'conversation_entries' then
        return query select distinct o.tenant_id from (
            select t.tenant_id from conversation_entries t where t.at <= until order by t.at limit at_most) o;
    end if;
end $$;
