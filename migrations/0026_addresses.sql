-- People by their addresses: a phone number, or a carrier's own id for a person whose number it does
-- not tell. Also which of its names (brands) a tenant writes under.

-- These columns keep their name, which older processes use, and their text: of a number it is as before.
comment on column messages.number is 'domain::address::Address: where it goes; empty where a dead letter did not say it';
comment on column standings.number is 'domain::address::Address: statuses, opt-outs and counted marketing are of an address';
comment on column consents.number is 'domain::address::Address: what the line is about';
comment on column contacts.number is 'domain::address::Address: what they were first known by, and contact_id is made of';
comment on column contacts.country is 'ISO 3166, from the number; ZZ where it says none, or there is none';

-- A contact is a set of addresses, and an address is one contact's.
create table contact_addresses (
    tenant_id text not null,
    kind text not null check (kind in ('phone', 'carrier_id')), -- Address::kind: who looks for numbers reads numbers alone
    address text not null,                       -- as in standings.number
    contact_id uuid not null,                    -- whose it is
    added_at timestamptz not null,               -- business time
    primary key (tenant_id, kind, address),
    check ((kind = 'phone') = (address like '+%')) -- E.164 begins with it, and no carrier's id does
);
call protect('contact_addresses');
create index contact_addresses_by_contact on contact_addresses (tenant_id, contact_id);

-- The address that a contact is made with is one of its set. A trigger sees to it, because processes
-- of a version before this table make contacts as well. An address that another contact has by now
-- stays with that one.
create function keep_first_address()
    returns trigger
    language plpgsql set search_path = millrace, pg_temp
    as $$
begin
    if tg_op = 'UPDATE' then
        delete from contact_addresses a
        where a.tenant_id = old.tenant_id and a.address = old.number and a.contact_id = old.contact_id
          and a.kind = case when old.number like '+%' then 'phone' else 'carrier_id' end;

        insert into contact_addresses (tenant_id, kind, address, contact_id, added_at)
        values (new.tenant_id, case when new.number like '+%' then 'phone' else 'carrier_id' end,
                new.number, new.contact_id, new.updated_at)
        on conflict do nothing;
        return null;
    end if;

    insert into contact_addresses (tenant_id, kind, address, contact_id, added_at)
    select n.tenant_id, case when n.number like '+%' then 'phone' else 'carrier_id' end,
           n.number, n.contact_id, n.created_at
    from new_contacts n
    order by 1, 2, 3
    on conflict do nothing;
    return null;
end $$;

-- Once for a whole batch, and of changes only for those of the address.
create trigger first_address_of_new_contacts after insert on contacts
    referencing new table as new_contacts
    for each statement execute function keep_first_address();
create trigger first_address_that_changed after update of number on contacts
    for each row when (old.number is distinct from new.number) execute function keep_first_address();

-- Contacts from before. Each tenant's under its own scope: contacts stay readable meanwhile, which
-- they would not if their row-level security were lifted.
do $$
declare
    tenant text;
begin
    for tenant in select t.tenant_id from tenants t loop
        perform set_config('millrace.tenants', tenant, true);
        insert into contact_addresses (tenant_id, kind, address, contact_id, added_at)
        select c.tenant_id, case when c.number like '+%' then 'phone' else 'carrier_id' end,
               c.number, c.contact_id, c.created_at
        from contacts c
        where c.tenant_id = tenant
        order by 1, 2, 3
        on conflict do nothing;
    end loop;
    perform set_config('millrace.tenants', '', true);
end $$;

-- A tenant may write under several names. Null is the one that it has otherwise.
alter table senders add column brand_id uuid;    -- domain::ids::BrandId: the name that people know the number under
alter table campaigns add column brand_id uuid;  -- the name that it is sent under
alter table conversations add column brand_id uuid; -- the name that the person wrote to, also when the sender changes hands
