-- A plan limits messages a day and contacts too.

alter table tenants
    -- Messages that the gates admit a day, in the company's own zone; the policy's quota of a day counts where it is less.
    add column most_messages_per_day integer check (most_messages_per_day between 1 and 1000000000),
    -- Contacts that people add, by the API and by files. Who is written to or writes is a contact whatever the plan.
    add column most_contacts integer check (most_contacts between 0 and 1000000000);
