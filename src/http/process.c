/*
 * process.c
 *	  See process.h.
 */
#include "process.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "loop.h"

ProcessUsage
process_usage(void)
{
	ProcessUsage usage = {0};
	struct rusage used;
	unsigned long long size = 0;
	unsigned long long resident = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	if (file != NULL)
	{
		if (fscanf(file, "%llu %llu", &size, &resident) == 2)
		{
			usage.virtual_bytes = size * (uint64_t) sysconf(_SC_PAGESIZE);
			usage.resident_bytes = resident * (uint64_t) sysconf(_SC_PAGESIZE);
		}
		fclose(file);
	}
	getrusage(RUSAGE_SELF, &used);
	usage.processor_seconds = (double) (used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
							  (double) (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
	return usage;
}

double
process_started(void)
{
	static double found;
	FILE *file = found == 0 ? fopen("/proc/self/stat", "re") : NULL;
	char line[1024] = "";
	const char *after_name;
	unsigned long long ticks;
	struct timespec up;

	if (file == NULL)
		return found;
	if (fgets(line, sizeof(line), file) != NULL && (after_name = strrchr(line, ')')) != NULL &&
		sscanf(after_name + 1,
			   " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu",
			   &ticks) == 1)
	{
		clock_gettime(CLOCK_BOOTTIME, &up);
		found = (double) loop_unix() / LOOP_SECOND - ((double) up.tv_sec + (double) up.tv_nsec / 1e9) +
				(double) ticks / (double) sysconf(_SC_CLK_TCK);
	}
	fclose(file);
	return found;
}

int64_t
process_open_files(bool few)
{
	struct stat st;
	DIR *folder;
	int64_t count = -3; /* ".", ".." and the folder itself */

	if (stat("/proc/self/fd", &st) == 0 && st.st_size > 0)
		return st.st_size;
	folder = few ? opendir("/proc/self/fd") : NULL;
	if (folder == NULL)
		return -1;
	while (readdir(folder) != NULL)
		count++;
	closedir(folder);
	return count;
}
