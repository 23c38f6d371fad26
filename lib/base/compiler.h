/* The few things standard C11 does not spell, in one place. */
#ifndef LCOWMIG__COMPILER_H
#define LCOWMIG__COMPILER_H

#if defined(__GNUC__)
#define LCOWMIG__PRINTF(format_index, first_argument) __attribute__((format(printf, format_index, first_argument)))
#else
#define LCOWMIG__PRINTF(format_index, first_argument)
#endif

/* mingw's default printf check knows the Microsoft formats only; ours are the C99 ones. */
#if defined(__MINGW32__)
#undef LCOWMIG__PRINTF
#define LCOWMIG__PRINTF(format_index, first_argument) __attribute__((format(gnu_printf, format_index, first_argument)))
#endif

#define LCOWMIG__COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The struct that contains `member` at address `pointer`. */
#define LCOWMIG__CONTAINER_OF(pointer, type, member) ((type *)((char *)(pointer) - offsetof(type, member)))

#endif
