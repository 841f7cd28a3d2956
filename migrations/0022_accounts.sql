-- Accounts have a handle of the platform's and a name of their tenant's; some serve several tenants.

-- `carrier_accounts.account` is the handle: opaque, the same for whoever uses the account, named in
-- webhook addresses, subjects, shards, permits and pace. Accounts from before keep theirs.
alter table carrier_accounts add column name text check (name ~ '^[A-Za-z0-9_-]{1,64}$'); -- null: the handle is the name
create unique index carrier_accounts_by_tenants_name on carrier_accounts (tenant_id, (coalesce(name, account)));
drop index carrier_accounts_by_name;

-- Which carriers there are is known to the program (crates/carriers), and older rows stay as they are.
alter table carrier_accounts drop constraint carrier_accounts_carrier_check;
alter table carrier_accounts add constraint carrier_accounts_carrier_check check (carrier ~ '^[a-z0-9_]{2,32}$');

-- Accounts of the platform itself, which an operator sets up and lends to tenants. No tenant's rows,
-- so no row-level security: stages read them, the api does not.
create table platform_accounts (
    account text primary key check (account ~ '^[A-Za-z0-9_-]{1,64}$'), -- the handle
    carrier text not null check (carrier ~ '^[a-z0-9_]{2,32}$'),
    carrier_sid text not null,                   -- the account's id at the carrier
    base_url text not null,
    sealed_token text not null,                  -- AES-256-GCM under the master key
    confirms_opt_out boolean not null default true, -- the carrier answers its own opt-out words: we do not
    pace integer check (pace between 1 and 100000), -- segments per second of all its tenants together; null: no limit of ours
    created_at timestamptz not null,
    unique (carrier, carrier_sid)
);

-- Who uses an account of the platform. Each also has a row in carrier_accounts, under the same handle.
create table account_shares (
    tenant_id text not null,
    account text not null references platform_accounts (account),
    weight integer not null default 1 check (weight between 1 and 100), -- its part where tenants compete
    primary key (tenant_id, account)
);
create index account_shares_by_account on account_shares (account);
call protect('account_shares');
call open_to_lookups('account_shares');

-- How fast an account may go: where its texts so far end, and until when it rests because its carrier
-- asked for it. Database time. An account may serve several tenants, so it is nobody's row.
create table account_pace (
    account text primary key,
    next_free timestamptz not null
) with (fillfactor = 50);

revoke all on platform_accounts, account_pace from millrace_api;
revoke insert, update, delete on platform_accounts from millrace_pipeline;
revoke insert, update, delete on account_shares from millrace_api, millrace_pipeline;

-- What accounts were slowed down for so far.
alter table pace no force row level security;
insert into account_pace (account, next_free)
select substr(p.key, 9), max(p.next_free) from pace p where p.key like 'account:%' group by 1;
delete from pace where key like 'account:%';
alter table pace force row level security;

-- An account whose secret has been changed rests no more. For the tenants that use it.
create function end_account_rest(handle text)
    returns void
    language sql volatile security definer set search_path = millrace, pg_temp
    as $$
        delete from account_pace p
        where p.account = handle
          and exists (select from carrier_accounts a
                      where a.account = handle and a.tenant_id = any ((select tenants_in_scope())::text[]))
    $$;
grant execute on function end_account_rest(text) to millrace_api;

-- Whether an account is the platform's, for tenants that use it and do not see its settings.
create function is_platform_account(handle text)
    returns boolean
    language sql stable security definer set search_path = millrace, pg_temp
    as $$ select exists (select from platform_accounts p where p.account = handle) $$;
grant execute on function is_platform_account(text) to millrace_api;

-- The accounts of all tenants with their names, for the webhook ingress (`all_accounts` is for older ones).
create function accounts_directory()
    returns table (tenant_id text, account text, name text, carrier text, carrier_sid text, sealed_token text)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select a.tenant_id, a.account, coalesce(a.name, a.account), a.carrier, a.carrier_sid, a.sealed_token
        from carrier_accounts a
    $$;
grant execute on function accounts_directory() to millrace_api;

-- A number belongs to one sender of an account, whoever's it is: so a text to it has one reader.
create unique index senders_by_account on senders (account, number);

-- Whose sender a number is that a text came to, where the account serves several tenants.
create function sender_owners(handles text[], numbers text[])
    returns table (at bigint, tenant_id text)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select k.at, s.tenant_id
        from unnest(handles, numbers) with ordinality as k (account, number, at)
        join senders s on s.account = k.account and s.number = k.number
    $$;
grant execute on function sender_owners(text[], text[]) to millrace_pipeline;

-- Which carrier a kept receipt came from: its codes are that carrier's.
alter table unmatched_receipts add column carrier text not null default 'twilio';
