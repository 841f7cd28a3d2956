-- Who may be texted, in full: consent with its evidence, stops of one program, the audit trail, and
-- the platform's switch as an operator throws it.

alter table standings
    add column consent_basis text                -- the ground of the consent that stands; none: not said
        check (consent_basis in ('express_written', 'express', 'implied', 'soft_opt_in')),
    add column consent_expires_at timestamptz,   -- it is none from then on; none: it does not end
    add column stopped_programs text[] not null default '{}'; -- programs that the person has left; opted_out_at leaves all

-- Where a number stands, in one word, for the ledger.
create function stood(s standings)
    returns text
    language sql immutable parallel safe
    as $$
        select case when s.opted_out_at is not null then 'opted_out'
                    when s.do_not_contact_at is not null then 'do_not_contact'
                    when s.stopped_programs <> '{}' then 'program_stopped'
                    when s.marketing_consent_at is not null then 'consented'
                    else 'none' end
    $$;
grant execute on function stood(standings) to millrace_api, millrace_pipeline;

-- What a person can leave without leaving everything.
alter table campaigns
    add column program text not null default 'marketing' check (program ~ '^[a-z0-9_-]{1,40}$');
alter table campaigns no force row level security; -- the owner alone, for the statement that follows
update campaigns set program = 'transactional' where class = 'transactional';
alter table campaigns force row level security;

alter table consents
    drop constraint consents_action_check,
    add constraint consents_action_check
        check (action in ('grant', 'confirm', 'revoke', 'restore', 'do_not_contact', 'allow')),
    add column program text,                     -- what it is about; none: everything of the tenant
    add column basis text check (basis in ('express_written', 'express', 'implied', 'soft_opt_in')),
    add column expires_at timestamptz,           -- of an implied consent
    add column disclosure text,                  -- the words that the person agreed to
    add column disclosure_hash bytea,            -- sha-256 of them, in utf-8
    add column page_url text,                    -- where they stood
    add column ip text,                          -- from where the person agreed
    add column user_agent text,                  -- with what
    add column signature text,                   -- in which form: a name typed, a box ticked, ink
    add column inbound_id uuid,                  -- the text by which they said so
    add column message_ids uuid[] not null default '{}', -- of a double opt-in: what was asked and confirmed
    add column certificate text,                 -- a vendor's id of the recorded act
    add column recorded_at timestamptz;          -- business time of this line: how long it took to honour

-- An opt-out reaches what is parked for its number.
create index parked_by_number on parked (tenant_id, (payload -> 'head' ->> 'to'));

-- The audit trail: append only, each entry chained to the one before it.
create table audit_log (
    tenant_id text not null,
    seq bigint not null,                         -- from 1, without a gap
    at timestamptz not null,                     -- business time, microseconds
    actor text not null,                         -- key:<id>, user:<sub>, stage:<name>, operator
    action text not null,                        -- 'policy.changed', 'consent.revoked', ...
    subject text not null,                       -- 'number:<e.164>', 'campaign:<id>', ...
    detail text not null,                        -- json; text, because the hash is over these very bytes
    prev_hash bytea not null,                    -- of the entry before; of the first: 32 zero bytes
    hash bytea not null,                         -- sha-256 over prev_hash and the fields: see store::audit
    primary key (tenant_id, seq)
);
call protect('audit_log');
revoke update, delete on audit_log from millrace_api, millrace_pipeline;
create index audit_log_by_subject on audit_log (tenant_id, subject, seq);

-- The end of each chain. Its lock makes writers of one tenant take turns; it also shows that
-- entries are missing at the end of the trail.
create table audit_heads (
    tenant_id text primary key,
    seq bigint not null,
    hash bytea not null
) with (fillfactor = 50);
call protect('audit_heads');
revoke delete on audit_heads from millrace_api, millrace_pipeline;

alter table platform_switch
    add column reason text not null default '',
    add column changed_at timestamptz;           -- business time; none: never thrown

-- How the platform's switch stands. One that is off is locked for share: whoever turns it on waits
-- for this transaction, and then wakes what it has held. One that is on costs no lock. Volatile, so
-- that what was set while the lock was waited for is seen.
create function platform_mode()
    returns text
    language plpgsql volatile security definer set search_path = millrace, pg_temp
    as $$
declare
    found_mode text;
begin
    select p.mode into found_mode from platform_switch p;
    if found_mode is distinct from 'on' then
        select p.mode into found_mode from platform_switch p for share;
    end if;
    return found_mode;
end $$;
grant execute on function platform_mode() to millrace_api, millrace_pipeline;

-- Every tenant, in pages, for what an operator does to all of them.
create function tenants_after(after text, at_most bigint)
    returns table (tenant_id text)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$ select t.tenant_id from tenants t where t.tenant_id > after order by t.tenant_id limit at_most $$;
grant execute on function tenants_after(text, bigint) to millrace_api;
