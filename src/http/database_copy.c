/*
 * database_copy.c
 *	  See database_copy.h.
 */
#include "database_copy.h"

#include <string.h>

/* Returns where it is now. */
static char *
put(char **to, const char *text)
{
	char *at = *to;

	*to = stpcpy(at, text) + 1;
	return at;
}

size_t
database_copy_size(const DatabaseStatement *statement)
{
	size_t size = (size_t) statement->count * sizeof(char *) + strlen(statement->text) + 1;

	for (int i = 0; i < statement->count; i++)
		size += statement->values[i] != NULL ? strlen(statement->values[i]) + 1 : 0;
	return size;
}

DatabaseStatement
database_copy(const DatabaseStatement *statement, const char ***values, char **to)
{
	const char **copies = *values;

	*values += statement->count;
	for (int i = 0; i < statement->count; i++)
		copies[i] = statement->values[i] != NULL ? put(to, statement->values[i]) : NULL;
	return (DatabaseStatement){put(to, statement->text), statement->count, copies};
}
