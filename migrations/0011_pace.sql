-- How fast a sender, an account and a tenant may go. `next_free` is database time: hosts need not
-- agree. Moved by the claim alone, so the pace holds whatever dies.

create table pace (
    tenant_id text not null,
    key text not null,                           -- 'sender:<id>', 'account:<key>', 'tenant'
    next_free timestamptz not null,
    primary key (tenant_id, key)
) with (fillfactor = 50);
call protect('pace');
