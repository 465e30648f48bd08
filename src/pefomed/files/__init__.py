"""Files of records from outside: tables, JSON Lines, Parquet, pickles, XML, archives; read with suspicion."""
