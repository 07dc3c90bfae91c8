"""The Dagster graph over ingestion and dbt: what runs after what. No logic of its own."""
