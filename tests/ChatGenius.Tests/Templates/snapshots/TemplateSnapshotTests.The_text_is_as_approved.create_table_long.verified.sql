-- ==== 0006_create_customer_relationship_management_interactions.sql
-- migrate:up

CREATE TABLE IF NOT EXISTS customer_relationship_management_interactions (
    id                                                        UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    very_long_name_of_the_first_column_id                     UUID NOT NULL,
    very_long_name_of_the_first_columns_id                    UUID NOT NULL,
    "größter_Name_der_überhaupt_möglich_wäre_in_diesem_Fall"  TEXT NOT NULL,
    created_at                                                TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at                                                TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT customer_relationship_managem_very_long_name_of_the_first__fkey FOREIGN KEY (very_long_name_of_the_first_column_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT customer_relationship_manage_very_long_name_of_the_first__fkey1 FOREIGN KEY (very_long_name_of_the_first_columns_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT "customer_relationship_managem_größter_Name_der_überhaupt_key" UNIQUE ("größter_Name_der_überhaupt_möglich_wäre_in_diesem_Fall")
);

CREATE INDEX IF NOT EXISTS customer_relationship_management_interactions_created_at_idx ON customer_relationship_management_interactions (created_at);

CREATE INDEX IF NOT EXISTS customer_relationship_managem_very_long_name_of_the_first_c_idx ON customer_relationship_management_interactions (very_long_name_of_the_first_column_id);

CREATE INDEX IF NOT EXISTS customer_relationship_managem_very_long_name_of_the_first__idx1 ON customer_relationship_management_interactions (very_long_name_of_the_first_columns_id);

-- migrate:down

DROP TABLE IF EXISTS customer_relationship_management_interactions;
