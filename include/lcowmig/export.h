/* Symbol visibility. Not included by users directly. */
#ifndef LCOWMIG_EXPORT_H
#define LCOWMIG_EXPORT_H

#if defined(LCOWMIG_STATIC)
#define LCOWMIG_API
#elif defined(_WIN32)
#if defined(LCOWMIG_BUILDING)
#define LCOWMIG_API __declspec(dllexport)
#else
#define LCOWMIG_API __declspec(dllimport)
#endif
#elif defined(__GNUC__)
#define LCOWMIG_API __attribute__((visibility("default")))
#else
#define LCOWMIG_API
#endif

#endif
