-- Names of carrier templates are looked up for whole batches, of one tenant or of many.
create index carrier_templates_by_name on carrier_templates (name, language, tenant_id);
