/*
 * tables.c
 *	  The tables and the statements that write them; see tables.h.  Their rows are made in rows.c.
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
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/syscache.h"
#include "utils/timeout.h"

#include "tables.h"

#define EXTENSION "crypto_rt"
#define LOCK_TIMEOUT 800          /* ms */
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

/*
 * In a template {table} is the table's qualified name, {schema} its schema's, {parameters} the arrays of the rows, {arrays}
 * the same unnested, and the others are the lists below.
 */
typedef struct Statement
{
	TablesTable table;
	int width;    /* it takes so many of the columns, from the first on */
	int hopeless; /* HOPELESS, or 0 for a statement that may well be refused for every row */
	bool counts;  /* it is a function's call, which returns how many rows it wrote */
	const char *template;
} Statement;

#define GIVEN "ROWS FROM ({arrays}) AS given ({columns})"
#define DIFFER "ROW ({t.values})::record *<> ROW ({given.values})::record"

static const Statement statements[TABLES_STATEMENTS] = {
	[TABLES_INSERT_COINS] =
		{TABLES_COINS, 7, HOPELESS, false,
		 "INSERT INTO {table} ({columns}, first_seen) SELECT {given.columns}, given.updated_at FROM " GIVEN
		 " WHERE NOT EXISTS (SELECT FROM {table} AS t WHERE t.nameid = given.nameid) ON CONFLICT (nameid) DO "
		 "NOTHING"},
	[TABLES_UPDATE_COINS] = {TABLES_COINS, 7, HOPELESS, false,
							 "UPDATE {table} AS t SET {set} FROM " GIVEN
							 " WHERE t.nameid = given.nameid AND " DIFFER},
	[TABLES_COIN_IDS] =
		{TABLES_COINS, 1, 0, false,
		 "SELECT given.n::int, t.coin FROM ROWS FROM ({arrays}) WITH ORDINALITY AS given (nameid, n)"
		 " JOIN {table} AS t ON t.nameid = given.nameid"},
	[TABLES_INSERT_TICKERS] =
		{TABLES_TICKERS, 20, HOPELESS, false,
		 "INSERT INTO {table} ({columns}, asset_type) SELECT {given.columns}, 'crypto' FROM " GIVEN
		 " WHERE NOT EXISTS (SELECT FROM {table} AS t WHERE t.symbol = given.symbol) ON CONFLICT (symbol) DO "
		 "NOTHING"},
	[TABLES_UPDATE_TICKERS] = {TABLES_TICKERS, 20, HOPELESS, false,
							   "UPDATE {table} AS t SET {set} FROM " GIVEN
							   " WHERE t.symbol = given.symbol AND t.asset_type = 'crypto' AND " DIFFER},
	[TABLES_TICKER_SYMBOLS] = {TABLES_TICKERS, 0, 0, false,
							   "SELECT t.symbol FROM {table} AS t WHERE t.asset_type = 'crypto'"},
	[TABLES_DELETE_TICKERS] = {TABLES_TICKERS, 1, 0, false,
							   "DELETE FROM {table} AS t USING " GIVEN
							   " WHERE t.symbol = given.symbol AND t.asset_type = 'crypto'"},
	[TABLES_READ_TICKERS] =
		{TABLES_TICKERS, 0, 0, false,
		 "SELECT t.symbol, t.name, t.nameid, t.coinlore_id::int8, t.rank::int8, t.price, t.price_btc,"
		 " t.change_1h, t.change_24h, t.change_7d, t.volume_24h, t.market_cap, t.circulating_supply,"
		 " t.total_supply, t.max_supply, (t.source = 'simulated')::int4::int8,"
		 " EXTRACT(epoch FROM t.source_time)::int8, (EXTRACT(epoch FROM t.updated_at) * 1000000)::int8"
		 " FROM {table} AS t WHERE t.asset_type = 'crypto' AND t.nameid IS NOT NULL"
		 " ORDER BY t.rank NULLS LAST"},
	[TABLES_BEGIN_SNAPSHOTS] = {TABLES_SNAPSHOTS, 5, HOPELESS, true,
								"SELECT {schema}.crypto_record({parameters}, true)"},
	[TABLES_APPEND_SNAPSHOTS] = {TABLES_SNAPSHOTS, 5, HOPELESS, true,
								 "SELECT {schema}.crypto_record({parameters}, false)"},
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
	/* in a deadlock with a user's transaction it is we who give way */
	SetConfigOption("lock_timeout", psprintf("%dms", Min(LOCK_TIMEOUT, DeadlockTimeout * 4 / 5)), PGC_USERSET,
					PGC_S_OVERRIDE);
	/*
	 * Rows are found by their keys.  Of a table that was never analyzed the planner believes that next to no row is of
	 * asset_type crypto, and so reads all of it, beside all of the rows that are to be written.
	 */
	SetConfigOption("enable_seqscan", "off", PGC_USERSET, PGC_S_OVERRIDE);
	/* what cannot but scan has a forbidding cost then, for which the compiler would be loaded: 25 MB for nothing */
	SetConfigOption("jit", "off", PGC_USERSET, PGC_S_OVERRIDE);
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
tables_schema(void)
{
	return quote_identifier(schema_name);
}

int
tables_columns(TablesTable table)
{
	return layouts[table].ncolumns;
}

const char *
tables_name(TablesTable table)
{
	return layouts[table].table;
}

void
tables_require_history(void)
{
	Oid relation = get_relname_relid(tables_name(TABLES_SNAPSHOTS), schema);

	if (OidIsValid(relation) && get_rel_relkind(relation) != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				errmsg("the extension is of an older version than its library: ALTER EXTENSION crypto_rt "
					   "UPDATE is needed"));
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
	if (strcmp(part, "schema") == 0)
	{
		appendStringInfoString(sql, quote_identifier(schema_name));
		return;
	}
	if (strcmp(part, "parameters") == 0 || strcmp(part, "arrays") == 0)
	{
		for (int i = 0; i < statement->width; i++, between = ", ")
			appendStringInfo(sql, part[0] == 'p' ? "%s$%d" : "%sunnest($%d)", between, i + 1);
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

/* How many rows the statement just executed has written. */
static int64
written_rows(TablesStatement number)
{
	bool isnull;
	Datum count;

	if (!statements[number].counts)
		return (int64) SPI_processed;
	count = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	return isnull ? 0 : DatumGetInt64(count);
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
		write->written += written_rows(write->statement);
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
