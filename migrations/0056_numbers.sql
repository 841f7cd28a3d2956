-- The numbers that a company has at its carriers, or has ordered there.

create table numbers (
    tenant_id text not null,
    number_id uuid not null,                     -- domain::ids::SenderId: the id that it has as a sender
    account text not null,
    number text not null,                        -- E.164
    carrier_id text,                             -- the carrier's name of it; null until the carrier has said it
    state text not null check (state in ('ordered', 'in_doubt', 'owned', 'failed', 'gone', 'releasing')),
    code integer,                                -- of an order that failed: the carrier's code; null: it gave none
    monthly_cost_micros bigint check (monthly_cost_micros >= 0), -- in the tenant's currency; null: nobody has said it
    brand_id uuid,
    pool_id uuid,                                -- where it goes once it is a sender
    created_at timestamptz not null,             -- business time
    asked_at timestamptz not null,               -- machine time of the last order
    primary key (tenant_id, number_id),
    foreign key (tenant_id, account) references carrier_accounts
);
call protect('numbers');
create policy brand on numbers as restrictive to millrace_api
    using ((select brands_in_scope()) is null or brand_id = any ((select brands_in_scope())::uuid[]));

revoke all on numbers from millrace_pipeline;
