/*
 * The same envelope, decoded and encoded by protobuf's C++ library: every nested payload into its message, nothing validated. Built by
 * scripts/bench where that library is installed.
 *
 *     compare ENVELOPE N [once]
 */
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "linuxcontainer.pb.h"
#include "migration.pb.h"
#include "network.pb.h"
#include "pod.pb.h"
#include "process.pb.h"
#include "scsi.pb.h"
#include "vm.pb.h"

namespace saved = hcsshim::controller;

struct container {
	saved::linuxcontainer::save::v1::Payload payload;
	std::vector<std::pair<std::string, saved::process::save::v1::Payload>> processes;
};

struct pod {
	saved::pod::save::v1::Payload payload;
	saved::network::save::v1::Payload network;
	std::vector<container> containers;
};

struct sandbox {
	google::protobuf::Any envelope;
	saved::migration::save::v1::Payload payload;
	saved::vm::save::v1::Payload vm;
	saved::scsi::save::v1::Payload scsi;
	std::vector<pod> pods;
};

extern "C" __attribute__((noinline)) bool compare_decode(sandbox &s, const std::string &bytes)
{
	bool is_good = s.envelope.ParseFromString(bytes) && s.payload.ParseFromString(s.envelope.value());

	is_good = is_good && s.vm.ParseFromString(s.payload.vm().value()) && s.scsi.ParseFromString(s.vm.scsi().value());
	s.pods.resize(s.payload.pods_size());
	for (int i = 0; is_good && i < s.payload.pods_size(); i++) {
		pod &p = s.pods[i];

		is_good = p.payload.ParseFromString(s.payload.pods(i).value()) && p.network.ParseFromString(p.payload.network().value());
		p.containers.resize(p.payload.containers_size());
		for (int k = 0; is_good && k < p.payload.containers_size(); k++) {
			container &c = p.containers[k];

			is_good = c.payload.ParseFromString(p.payload.containers(k).value());
			for (const auto &entry : c.payload.processes()) {
				c.processes.emplace_back(entry.first, saved::process::save::v1::Payload());
				is_good = is_good && c.processes.back().second.ParseFromString(entry.second.value());
			}
		}
	}
	return is_good;
}

/* From the inside to the outside; type URLs and what is not nested stay as they were decoded. */
extern "C" __attribute__((noinline)) void compare_encode(sandbox &s, std::string &bytes)
{
	for (size_t i = 0; i < s.pods.size(); i++) {
		pod &p = s.pods[i];

		for (size_t k = 0; k < p.containers.size(); k++) {
			container &c = p.containers[k];

			for (auto &process : c.processes)
				process.second.SerializeToString((*c.payload.mutable_processes())[process.first].mutable_value());
			c.payload.SerializeToString(p.payload.mutable_containers((int)k)->mutable_value());
		}
		p.network.SerializeToString(p.payload.mutable_network()->mutable_value());
		p.payload.SerializeToString(s.payload.mutable_pods((int)i)->mutable_value());
	}
	s.scsi.SerializeToString(s.vm.mutable_scsi()->mutable_value());
	s.vm.SerializeToString(s.payload.mutable_vm()->mutable_value());
	s.payload.SerializeToString(s.envelope.mutable_value());
	s.envelope.SerializeToString(&bytes);
}

/* The second time, when the strings have their size. */
extern "C" __attribute__((noinline)) void compare_encode_again(sandbox &s, std::string &bytes)
{
	compare_encode(s, bytes);
}

/* Processor time: whatever else the machine does counts for nobody. */
static double seconds()
{
	return (double)std::clock() / CLOCKS_PER_SEC;
}

static void print(const char *name, unsigned n, double value)
{
	std::printf("{\"name\":\"%s\",\"n\":%u,\"value\":%.6g,\"unit\":\"us\"}\n", name, n, value);
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	std::ifstream file(argv[1], std::ios::binary);
	const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
	const unsigned n = (unsigned)std::strtoul(argv[2], nullptr, 10);
	const double limit = argc > 3 ? 0 : 0.3;
	double start = seconds(), passed;
	unsigned long rounds = 0;
	std::string encoded;
	sandbox whole;

	do {
		sandbox s;

		if (!compare_decode(s, bytes))
			return 1;
		rounds++;
		passed = seconds() - start;
	} while (passed < limit);
	print("C++ decode per container", n, passed / (double)rounds / n * 1e6);
	if (!compare_decode(whole, bytes))
		return 1;
	compare_encode(whole, encoded);
	rounds = 0;
	start = seconds();
	do {
		compare_encode_again(whole, encoded);
		rounds++;
		passed = seconds() - start;
	} while (passed < limit);
	print("C++ encode per container", n, passed / (double)rounds / n * 1e6);
	return encoded.size() == bytes.size() ? 0 : 1;
}
