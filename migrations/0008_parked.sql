-- Messages put aside: deferred until a time, held until a cause goes away. `schedule` releases them.

create table parked (
    tenant_id text not null,
    message_id uuid not null,
    turn integer not null,                       -- the turn that was parked; its release is turn + 1
    due timestamptz,                             -- business time; none while held
    cause text not null,                         -- gate or stage, and code
    cause_key text,                              -- what wakes a held row: 'switch:tenant', 'switch:campaign:<id>', ...
    lane text not null,
    payload jsonb not null,                      -- wire::Enriched, as it goes back to the gates
    parked_at timestamptz not null,
    primary key (tenant_id, message_id, turn)
);
call protect('parked');
call open_to_lookups('parked');
create index parked_by_due on parked (tenant_id, due) where due is not null;
create index parked_by_cause on parked (tenant_id, cause_key) where due is null;
