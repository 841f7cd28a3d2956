-- Who shares an account of the platform: a receipt without our reference and without a number of ours can be any of theirs.
create function account_sharers(handles text[], at_most bigint)
    returns table (account text, tenant_id text)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select k.account, s.tenant_id
        from unnest(handles) as k (account)
        cross join lateral (
            select a.tenant_id from account_shares a where a.account = k.account order by a.tenant_id limit at_most
        ) s
    $$;
grant execute on function account_sharers(text[], bigint) to millrace_pipeline;

-- What a person has decided about a text that was taken for an opt-out by other words than a keyword. The text and the
-- rule are in its line of the ledger, which nobody changes.
create table review_decisions (
    tenant_id text not null,
    consent_id uuid not null,                    -- the line of the ledger that is reviewed
    decision text not null check (decision in ('opted_out', 'dismissed')),
    decided_at timestamptz not null,             -- business time
    decided_by text not null,                    -- API key or user
    primary key (tenant_id, consent_id)
);
call protect('review_decisions');
revoke update, delete on review_decisions from millrace_api, millrace_pipeline;

-- A tenant's reviews in the order of age; other lines are not in it. The collation as in 0036, and for its reason.
create index consents_for_review on consents (tenant_id collate "C", at, consent_id)
    where method = 'phrase' and action = 'revoke';
