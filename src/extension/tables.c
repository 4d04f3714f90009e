/*
 * tables.c
 *	  The tables' rows and statements; see tables.h.
 *
 * A statement takes its rows as one array per column and unnests them, so that thousands of rows cost one execution
 * of one kept plan.  Its text is a template: the layouts below say once which columns there are.
 *
 * Rows are written under the table's owner and in a security-restricted operation, since an owner may hang triggers on
 * his table.  Deferred constraints would then be refused, and would fail too late to tell which row is at fault, so all
 * are made immediate.  Each write is a subtransaction: one that fails for its data's sake is halved until the row at
 * fault stands alone.
 *
 * An update compares images of rows (*<>), for which 1.0 and 1.00 differ: a price keeps the digits it came with.  The
 * updates do not use ON CONFLICT, which would lock rows that it then does not change, the user's own among them.
 *
 * Commits wait for the disk as the server's synchronous_commit says: at two or three a second that costs next to
 * nothing.  ALTER DATABASE ... SET synchronous_commit = off is safe here, too: a crash loses the last second of what
 * was written, as it loses the tick log, and the next polls bring newer prices.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "common/string.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/syscache.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

#include "../core/tier.h"
#include "settings.h"
#include "tables.h"

#define EXTENSION "crypto_rt"
#define LOCK_TIMEOUT_TEXT "1s"
#define TRANSACTION_TIMEOUT 30000 /* ms for the statements of a transaction */
#define COLUMNS_MAX 20

/* When so many rows are refused before any is taken, it is the table that is wrong, not the rows. */
#define HOPELESS 64

/* A column's part: it identifies the row, is compared, or only says how old the row is. */
typedef enum ColumnPart
{
	KEY,
	VALUE,
	AGE
} ColumnPart;

typedef struct Column
{
	const char *name;
	Oid type;
	ColumnPart part;
} Column;

typedef struct Layout
{
	const char *table;
	int ncolumns;
	Column columns[COLUMNS_MAX];
} Layout;

static const Layout layouts[TABLES_TABLES] = {
	[TABLES_COINS] = {"crypto_coins",
					  7,
					  {
						  {"nameid", TEXTOID, KEY},
						  {"coinlore_id", INT4OID, VALUE},
						  {"symbol", TEXTOID, VALUE},
						  {"name", TEXTOID, VALUE},
						  {"owns_symbol", BOOLOID, VALUE},
						  {"active", BOOLOID, VALUE},
						  {"updated_at", TIMESTAMPTZOID, AGE},
					  }},
	[TABLES_TICKERS] = {"tickers",
						20,
						{
							{"symbol", TEXTOID, KEY},
							{"name", TEXTOID, VALUE},
							{"nameid", TEXTOID, VALUE},
							{"coinlore_id", INT4OID, VALUE},
							{"rank", INT4OID, VALUE},
							{"tier", INT2OID, VALUE},
							{"active", BOOLOID, VALUE},
							{"source", TEXTOID, VALUE},
							{"price", NUMERICOID, VALUE},
							{"price_btc", NUMERICOID, VALUE},
							{"change_1h", NUMERICOID, VALUE},
							{"change_24h", NUMERICOID, VALUE},
							{"change_7d", NUMERICOID, VALUE},
							{"volume_24h", NUMERICOID, VALUE},
							{"market_cap", NUMERICOID, VALUE},
							{"circulating_supply", NUMERICOID, VALUE},
							{"total_supply", NUMERICOID, VALUE},
							{"max_supply", NUMERICOID, VALUE},
							{"source_time", TIMESTAMPTZOID, AGE},
							{"updated_at", TIMESTAMPTZOID, AGE},
						}},
	[TABLES_SNAPSHOTS] = {"crypto_snapshots",
						  5,
						  {
							  {"time", TIMESTAMPTZOID, KEY},
							  {"coin", INT4OID, KEY},
							  {"simulated", BOOLOID, VALUE},
							  {"price", NUMERICOID, VALUE},
							  {"volume_24h", NUMERICOID, VALUE},
						  }},
};

/* A quote's numbers in the order of the columns above. */
static const size_t ticker_decimals[] = {
	offsetof(Quote, price),      offsetof(Quote, price_btc),          offsetof(Quote, change_1h),
	offsetof(Quote, change_24h), offsetof(Quote, change_7d),          offsetof(Quote, volume_24h),
	offsetof(Quote, market_cap), offsetof(Quote, circulating_supply), offsetof(Quote, total_supply),
	offsetof(Quote, max_supply),
};

/*
 * In a template {table} is the table's qualified name, {arrays} the arrays of the rows, unnested, and the others are
 * the lists below.
 */
typedef struct Statement
{
	TablesTable table;
	int width;    /* it takes so many of the columns, from the first on */
	int hopeless; /* HOPELESS, or 0 for a statement that may well be refused for every row */
	const char *template;
} Statement;

#define GIVEN "ROWS FROM ({arrays}) AS given ({columns})"
#define DIFFER "ROW ({t.values})::record *<> ROW ({given.values})::record"

static const Statement statements[TABLES_STATEMENTS] = {
	[TABLES_INSERT_COINS] =
		{TABLES_COINS, 7, HOPELESS,
		 "INSERT INTO {table} ({columns}, first_seen) SELECT {given.columns}, given.updated_at FROM " GIVEN
		 " WHERE NOT EXISTS (SELECT FROM {table} AS t WHERE t.nameid = given.nameid) ON CONFLICT (nameid) DO "
		 "NOTHING"},
	[TABLES_UPDATE_COINS] = {TABLES_COINS, 7, HOPELESS,
							 "UPDATE {table} AS t SET {set} FROM " GIVEN
							 " WHERE t.nameid = given.nameid AND " DIFFER},
	[TABLES_COIN_IDS] =
		{TABLES_COINS, 1, 0,
		 "SELECT given.n::int, t.coin FROM ROWS FROM ({arrays}) WITH ORDINALITY AS given (nameid, n)"
		 " JOIN {table} AS t ON t.nameid = given.nameid"},
	[TABLES_INSERT_TICKERS] =
		{TABLES_TICKERS, 20, HOPELESS,
		 "INSERT INTO {table} ({columns}, asset_type) SELECT {given.columns}, 'crypto' FROM " GIVEN
		 " WHERE NOT EXISTS (SELECT FROM {table} AS t WHERE t.symbol = given.symbol) ON CONFLICT (symbol) DO "
		 "NOTHING"},
	[TABLES_UPDATE_TICKERS] = {TABLES_TICKERS, 20, HOPELESS,
							   "UPDATE {table} AS t SET {set} FROM " GIVEN
							   " WHERE t.symbol = given.symbol AND t.asset_type = 'crypto' AND " DIFFER},
	[TABLES_TICKER_SYMBOLS] = {TABLES_TICKERS, 0, 0,
							   "SELECT t.symbol FROM {table} AS t WHERE t.asset_type = 'crypto'"},
	[TABLES_DELETE_TICKERS] = {TABLES_TICKERS, 1, 0,
							   "DELETE FROM {table} AS t USING " GIVEN
							   " WHERE t.symbol = given.symbol AND t.asset_type = 'crypto'"},
	[TABLES_READ_TICKERS] =
		{TABLES_TICKERS, 0, 0,
		 "SELECT t.symbol, t.name, t.nameid, t.coinlore_id::int8, t.rank::int8, t.price, t.price_btc,"
		 " t.change_1h, t.change_24h, t.change_7d, t.volume_24h, t.market_cap, t.circulating_supply,"
		 " t.total_supply, t.max_supply, (t.source = 'simulated')::int4::int8,"
		 " EXTRACT(epoch FROM t.source_time)::int8, (EXTRACT(epoch FROM t.updated_at) * 1000000)::int8"
		 " FROM {table} AS t WHERE t.asset_type = 'crypto' AND t.nameid IS NOT NULL"
		 " ORDER BY t.rank NULLS LAST"},
	[TABLES_BEGIN_SNAPSHOTS] =
		{TABLES_SNAPSHOTS, 5, HOPELESS,
		 "INSERT INTO {table} ({columns}) SELECT {given.columns} FROM " GIVEN
		 " WHERE given.price IS DISTINCT FROM"
		 " (SELECT t.price FROM {table} AS t WHERE t.coin = given.coin ORDER BY t.time DESC LIMIT 1)"},
	[TABLES_APPEND_SNAPSHOTS] = {TABLES_SNAPSHOTS, 5, HOPELESS,
								 "INSERT INTO {table} ({columns}) SELECT {given.columns} FROM " GIVEN},
};

/* Lists of columns in a template: which ones, and how each is written. */
static const struct
{
	const char *name;
	ColumnPart from;
	ColumnPart to;
	const char *each;
} lists[] = {
	{"columns", KEY, AGE, "%1$s"},
	{"given.columns", KEY, AGE, "given.%1$s"},
	{"set", VALUE, AGE, "%1$s = given.%1$s"},
	{"t.values", VALUE, VALUE, "t.%1$s"},
	{"given.values", VALUE, VALUE, "given.%1$s"},
};

/* A write in progress. */
typedef struct Write
{
	TablesStatement statement;
	const TablesRows *rows;
	TablesRefused refused;
	int ntaken;
	int nrefused;
	int64 written;
} Write;

/* the installation that was found, and the plans made for it */
static Oid installed;
static Oid schema;
static char schema_name[NAMEDATALEN];
static SPIPlanPtr plans[TABLES_STATEMENTS];

/* between tables_enter and tables_leave */
static bool entered;
static Oid own_user;
static int own_context;

void
tables_session(void)
{
	SetConfigOption("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_OVERRIDE);
	SetConfigOption("lock_timeout", LOCK_TIMEOUT_TEXT, PGC_USERSET, PGC_S_OVERRIDE);
	/*
	 * Rows are found by their keys.  Of a table that was never analyzed the planner believes that next to no row is of
	 * asset_type crypto, and so reads all of it, beside all of the rows that are to be written.
	 */
	SetConfigOption("enable_seqscan", "off", PGC_USERSET, PGC_S_OVERRIDE);
}

/*
 * The installation.
 */

static bool
look_up(Oid *extension, Oid *namespace)
{
	Relation catalog = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;
	bool found;

	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ, CStringGetDatum(EXTENSION));
	scan = systable_beginscan(catalog, ExtensionNameIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	found = HeapTupleIsValid(tuple);
	if (found)
	{
		*extension = ((Form_pg_extension) GETSTRUCT(tuple))->oid;
		*namespace = ((Form_pg_extension) GETSTRUCT(tuple))->extnamespace;
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return found;
}

static void
forget(void)
{
	for (int i = 0; i < TABLES_STATEMENTS; i++)
	{
		if (plans[i] != NULL)
			SPI_freeplan(plans[i]);
		plans[i] = NULL;
	}
	installed = InvalidOid;
}

TablesFound
tables_find(void)
{
	Oid extension;
	Oid namespace;
	Oid again;
	char *name;

	if (!look_up(&extension, &namespace))
	{
		forget();
		return TABLES_ABSENT;
	}
	if (!ConditionalLockDatabaseObject(ExtensionRelationId, extension, 0, AccessShareLock))
		return TABLES_BUSY;
	/* it may have gone before the lock was ours */
	if (!look_up(&again, &namespace) || again != extension || (name = get_namespace_name(namespace)) == NULL)
		return TABLES_BUSY;

	if (!OidIsValid(installed))
	{
		installed = extension;
		schema = namespace;
		strlcpy(schema_name, name, NAMEDATALEN);
	}
	else if (installed != extension || schema != namespace || strcmp(schema_name, name) != 0)
	{
		forget();
		return TABLES_ABSENT;
	}
	return TABLES_FOUND;
}

const char *
tables_name(TablesTable table)
{
	return layouts[table].table;
}

void
tables_enter(TablesTable table)
{
	Oid relation = get_relname_relid(tables_name(table), schema);
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	Oid owner;
	char kind;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR, errcode(ERRCODE_UNDEFINED_TABLE),
				errmsg("table \"%s.%s\" does not exist", schema_name, tables_name(table)));
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	kind = ((Form_pg_class) GETSTRUCT(tuple))->relkind;
	ReleaseSysCache(tuple);
	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR, errcode(ERRCODE_WRONG_OBJECT_TYPE),
				errmsg("\"%s.%s\" is not a table", schema_name, tables_name(table)));

	GetUserIdAndSecContext(&own_user, &own_context);
	SetUserIdAndSecContext(owner, own_context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
	enable_timeout_after(STATEMENT_TIMEOUT, TRANSACTION_TIMEOUT);
	entered = true;
	SPI_execute("SET CONSTRAINTS ALL IMMEDIATE", false, 0);
}

void
tables_leave(void)
{
	if (!entered)
		return;
	entered = false;
	SetUserIdAndSecContext(own_user, own_context);
	disable_timeout(STATEMENT_TIMEOUT, false);
	/* should it have come just now, it is for nobody */
	QueryCancelPending = false;
}

/*
 * Rows.
 */

TablesRows *
tables_rows(TablesTable table, int capacity)
{
	TablesRows *rows = palloc(sizeof(TablesRows));
	Size cells = (Size) layouts[table].ncolumns * capacity;

	rows->table = table;
	rows->count = 0;
	rows->capacity = capacity;
	rows->values = palloc(cells * sizeof(Datum));
	rows->nulls = palloc(cells * sizeof(bool));
	return rows;
}

/* Put a value into the row at the end, which the caller then counts. */
static void
put(TablesRows *rows, int column, Datum value)
{
	rows->values[column * rows->capacity + rows->count] = value;
	rows->nulls[column * rows->capacity + rows->count] = false;
}

static void
put_null(TablesRows *rows, int column)
{
	rows->values[column * rows->capacity + rows->count] = (Datum) 0;
	rows->nulls[column * rows->capacity + rows->count] = true;
}

/* Whether the database's encoding can be trusted to have these characters. */
static bool
encodable(const char *name)
{
	int encoding = GetDatabaseEncoding();

	return encoding == PG_UTF8 || encoding == PG_SQL_ASCII || pg_is_ascii(name);
}

static void
put_name(TablesRows *rows, int column, const char *name)
{
	if (name[0] != '\0' && encodable(name))
		put(rows, column, CStringGetTextDatum(name));
	else
		put_null(rows, column);
}

static void
put_decimal(TablesRows *rows, int column, Decimal d)
{
	if (d.known)
		put(rows, column, NumericGetDatum(int64_div_fast_to_numeric(d.mantissa, d.scale)));
	else
		put_null(rows, column);
}

/* A number for which 0 means unknown. */
static void
put_number(TablesRows *rows, int column, int32 number)
{
	if (number != 0)
		put(rows, column, Int32GetDatum(number));
	else
		put_null(rows, column);
}

/* A unix time in microseconds, 0 for unknown. */
static void
put_time(TablesRows *rows, int column, int64 unix_us)
{
	if (unix_us != 0)
		put(rows, column,
			TimestampTzGetDatum(unix_us - (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY));
	else
		put_null(rows, column);
}

bool
tables_add_coin(TablesRows *rows, const BoardEntry *entry)
{
	const Quote *q = &entry->quote;

	if (!encodable(q->nameid) || !encodable(q->symbol))
		return false;
	put(rows, 0, CStringGetTextDatum(q->nameid));
	put_number(rows, 1, q->coinlore_id);
	put(rows, 2, CStringGetTextDatum(q->symbol));
	put_name(rows, 3, q->name);
	put(rows, 4, BoolGetDatum(entry->owns_symbol));
	put(rows, 5, BoolGetDatum(quote_active(q)));
	put_time(rows, 6, q->fetched_at);
	rows->count++;
	return true;
}

static inline Decimal
ticker_decimal(const Quote *q, int i)
{
	return *(const Decimal *) ((const char *) q + ticker_decimals[i]);
}

bool
tables_add_ticker(TablesRows *rows, const BoardEntry *entry)
{
	const Quote *q = &entry->quote;
	int column = 8;

	if (!encodable(q->nameid) || !encodable(q->symbol))
		return false;
	put(rows, 0, CStringGetTextDatum(q->symbol));
	put_name(rows, 1, q->name);
	put(rows, 2, CStringGetTextDatum(q->nameid));
	put_number(rows, 3, q->coinlore_id);
	put_number(rows, 4, q->rank);
	put(rows, 5, Int16GetDatum((int16) tier_of_rank(settings_tiers(), q->rank)));
	put(rows, 6, BoolGetDatum(quote_active(q)));
	put(rows, 7, CStringGetTextDatum(quote_source(q)));
	for (int i = 0; i < lengthof(ticker_decimals); i++)
		put_decimal(rows, column++, ticker_decimal(q, i));
	put_time(rows, column++, q->source_time * INT64CONST(1000000));
	put_time(rows, column, q->fetched_at);
	rows->count++;
	return true;
}

void
tables_add_symbol(TablesRows *rows, const char *symbol)
{
	put(rows, 0, CStringGetTextDatum(symbol));
	rows->count++;
}

void
tables_add_snapshot(TablesRows *rows, int32 coin, const Tick *tick)
{
	put_time(rows, 0, tick->time);
	put(rows, 1, Int32GetDatum(coin));
	put(rows, 2, BoolGetDatum(tick->simulated));
	put_decimal(rows, 3, tick->price);
	put_decimal(rows, 4, tick->volume_24h);
	rows->count++;
}

static uint64
digest_string(const char *s, uint64 seed)
{
	return hash_bytes_extended((const unsigned char *) s, (int) strlen(s), seed);
}

uint64
tables_coin_digest(const BoardEntry *entry)
{
	const Quote *q = &entry->quote;
	int32 numbers[] = {q->coinlore_id, entry->owns_symbol, quote_active(q)};
	uint64 digest = hash_bytes_extended((const unsigned char *) numbers, sizeof(numbers), 0);

	digest = digest_string(q->symbol, digest);
	digest = digest_string(q->name, digest);
	return digest != 0 ? digest : 1;
}

uint64
tables_ticker_digest(const BoardEntry *entry)
{
	const Quote *q = &entry->quote;
	int64 numbers[2 * lengthof(ticker_decimals) + 3];
	int n = 0;
	uint64 digest;

	for (int i = 0; i < lengthof(ticker_decimals); i++)
	{
		Decimal d = ticker_decimal(q, i);

		numbers[n++] = d.mantissa;
		numbers[n++] = d.scale * 2 + d.known;
	}
	numbers[n++] = q->rank;
	numbers[n++] = q->coinlore_id;
	numbers[n++] = tier_of_rank(settings_tiers(), q->rank) * 2 + q->simulated;
	digest = hash_bytes_extended((const unsigned char *) numbers, sizeof(numbers), 0);
	digest = digest_string(q->symbol, digest);
	digest = digest_string(q->nameid, digest);
	digest = digest_string(q->name, digest);
	return digest != 0 ? digest : 1;
}

/*
 * Statements.
 */

/* Append what stands between a template's braces. */
static void
append_part(StringInfo sql, const Statement *statement, const char *part)
{
	const Layout *layout = &layouts[statement->table];
	const char *between = "";

	if (strcmp(part, "table") == 0)
	{
		appendStringInfo(sql, "%s.%s", quote_identifier(schema_name), layout->table);
		return;
	}
	if (strcmp(part, "arrays") == 0)
	{
		for (int i = 0; i < statement->width; i++, between = ", ")
			appendStringInfo(sql, "%sunnest($%d)", between, i + 1);
		return;
	}
	for (int i = 0; i < lengthof(lists); i++)
	{
		if (strcmp(part, lists[i].name) != 0)
			continue;
		for (const Column *c = layout->columns; c < layout->columns + statement->width; c++)
		{
			if (c->part < lists[i].from || c->part > lists[i].to)
				continue;
			appendStringInfoString(sql, between);
			appendStringInfo(sql, lists[i].each, c->name);
			between = ", ";
		}
		return;
	}
	elog(ERROR, "no such part of a statement: %s", part);
}

/* The SQL of a statement, palloc'd. */
static char *
statement_text(const Statement *statement)
{
	StringInfoData sql;
	const char *p = statement->template;
	const char *open;

	initStringInfo(&sql);
	while ((open = strchr(p, '{')) != NULL)
	{
		const char *close = strchr(open, '}');

		appendBinaryStringInfo(&sql, p, (int) (open - p));
		append_part(&sql, statement, pnstrdup(open + 1, close - open - 1));
		p = close + 1;
	}
	appendStringInfoString(&sql, p);
	return sql.data;
}

static SPIPlanPtr
plan(TablesStatement number)
{
	const Statement *statement = &statements[number];
	Oid types[COLUMNS_MAX];
	SPIPlanPtr made;

	if (plans[number] != NULL)
		return plans[number];
	for (int i = 0; i < statement->width; i++)
		types[i] = get_array_type(layouts[statement->table].columns[i].type);
	made = SPI_prepare(statement_text(statement), statement->width, types);
	if (made == NULL)
		elog(ERROR, "could not prepare a statement for %s: %s", tables_name(statement->table),
			 SPI_result_code_string(SPI_result));
	SPI_keepplan(made);
	plans[number] = made;
	return made;
}

/* Execute a statement over the rows [from, to). */
static void
execute(TablesStatement number, const TablesRows *rows, int from, int to)
{
	const Statement *statement = &statements[number];
	Datum arguments[COLUMNS_MAX];
	int count = to - from;
	int lower_bound = 1;
	int result;

	for (int i = 0; i < statement->width; i++)
	{
		Oid type = layouts[statement->table].columns[i].type;
		int first = i * rows->capacity + from;
		int16 length;
		bool by_value;
		char align;

		get_typlenbyvalalign(type, &length, &by_value, &align);
		arguments[i] =
			PointerGetDatum(construct_md_array(rows->values + first, rows->nulls + first, 1, &count,
											   &lower_bound, type, length, by_value, align));
	}
	result = SPI_execute_plan(plan(number), arguments, NULL, false, 0);
	if (result < 0)
		elog(ERROR, "could not write %s: %s", tables_name(statement->table), SPI_result_code_string(result));
}

/* Whether an error is one row's fault: other rows may do better. */
static bool
of_data(const ErrorData *error)
{
	switch (ERRCODE_TO_CATEGORY(error->sqlerrcode))
	{
		case ERRCODE_TRIGGERED_ACTION_EXCEPTION:
		case ERRCODE_CARDINALITY_VIOLATION: /* a symbol changed hands while its rows were gathered */
		case ERRCODE_DATA_EXCEPTION:
		case ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION:
		case ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION:
		case ERRCODE_WITH_CHECK_OPTION_VIOLATION:
		case ERRCODE_PROGRAM_LIMIT_EXCEEDED: /* too long for an index */
		case ERRCODE_PLPGSQL_ERROR:
			return true;
		default:
			return false;
	}
}

/* Execute in a subtransaction.  Returns NULL, or the error that undid it. */
static ErrorData *
attempt(Write *write, int from, int to)
{
	MemoryContext memory = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(memory);
	PG_TRY();
	{
		execute(write->statement, write->rows, from, to);
		write->written += SPI_processed;
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(memory);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(memory);
	CurrentResourceOwner = owner;
	return error;
}

static void
write_range(Write *write, int from, int to)
{
	ErrorData *error = attempt(write, from, to);
	int hopeless = statements[write->statement].hopeless;

	if (error == NULL)
	{
		write->ntaken += to - from;
		return;
	}
	if (!of_data(error))
		ReThrowError(error);
	if (to - from == 1)
	{
		if (++write->nrefused >= hopeless && hopeless > 0 && write->ntaken == 0)
			ReThrowError(error);
		write->refused(from, error->message, error->detail);
		FreeErrorData(error);
		return;
	}
	FreeErrorData(error);
	CHECK_FOR_INTERRUPTS();
	write_range(write, from, from + (to - from) / 2);
	write_range(write, from + (to - from) / 2, to);
}

int64
tables_write(TablesStatement statement, const TablesRows *rows, TablesRefused refused)
{
	Write write = {.statement = statement, .rows = rows, .refused = refused};

	if (rows->count > 0)
		write_range(&write, 0, rows->count);
	return write.written;
}

void
tables_coin_ids(const TablesRows *rows, int32 *ids)
{
	memset(ids, 0, rows->count * sizeof(int32));
	execute(TABLES_COIN_IDS, rows, 0, rows->count);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool isnull;
		int32 n = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull));

		ids[n - 1] = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2, &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
}

char **
tables_ticker_symbols(int *count)
{
	TablesRows none = {.table = TABLES_TICKERS};
	char **symbols;

	execute(TABLES_TICKER_SYMBOLS, &none, 0, 0);
	*count = (int) SPI_processed;
	symbols = palloc(Max(*count, 1) * sizeof(char *));
	for (int i = 0; i < *count; i++)
		symbols[i] = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1);
	SPI_freetuptable(SPI_tuptable);
	return symbols;
}

void
tables_read_tickers(void (*take)(HeapTuple tuple, TupleDesc desc))
{
	TablesRows none = {.table = TABLES_TICKERS};

	execute(TABLES_READ_TICKERS, &none, 0, 0);
	for (uint64 i = 0; i < SPI_processed; i++)
		take(SPI_tuptable->vals[i], SPI_tuptable->tupdesc);
	SPI_freetuptable(SPI_tuptable);
}
