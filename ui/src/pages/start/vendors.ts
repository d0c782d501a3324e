// The configuration of exporters. Every snippet sets ingress flows only (so that each packet counts once), short active and inactive
// timeouts (for accurate one-second data) and the options that announce the sampling rate. `source` is the vendor's or project's
// manual against which each command was checked; `tried`: the snippet was run and its flows were stored.

export interface Vendor {
  id: string;
  name: string;
  protocol: string;
  /** The kind of listener for it, and the port if the server lists none. */
  kind: string;
  port: number;
  note: string;
  source: string;
  tried?: boolean;
  config: (address: string, port: string) => string;
}

/** Joins host and port; an IPv6 address gets brackets. */
export const withPort = (host: string, port: string) =>
  host.includes(":") && !host.startsWith("[") ? `[${host}]:${port}` : `${host}:${port}`;

/** The fields of a Flexible NetFlow record; IPv4 and IPv6 need one each. */
const iosRecord = (v: 4 | 6) => `flow record NETMETA${v}
 match ipv${v} ${v === 4 ? "tos" : "traffic-class"}
 match ipv${v} protocol
 match ipv${v} source address
 match ipv${v} destination address
 match transport source-port
 match transport destination-port
 match interface input
 collect interface output
 collect transport tcp flags
 collect routing source as 4-octet
 collect routing destination as 4-octet
 collect counter bytes long
 collect counter packets long
 collect timestamp absolute first
 collect timestamp absolute last
 collect flow sampler
!`;

const iosMonitor = (v: 4 | 6) => `flow monitor NETMETA${v}
 record NETMETA${v}
 exporter NETMETA
 cache timeout active 10
 cache timeout inactive 10
!`;

const xrMonitor = (v: 4 | 6) => `flow monitor-map NETMETA${v}
 record ipv${v}
 exporter NETMETA
 cache timeout active 10
 cache timeout inactive 10
 cache entries 200000
!`;

const junosTemplate = (v: 4 | 6) => `set services flow-monitoring version-ipfix template NETMETA${v} flow-active-timeout 10
set services flow-monitoring version-ipfix template NETMETA${v} flow-inactive-timeout 10
set services flow-monitoring version-ipfix template NETMETA${v} template-refresh-rate seconds 30
set services flow-monitoring version-ipfix template NETMETA${v} option-refresh-rate seconds 30
set services flow-monitoring version-ipfix template NETMETA${v} ipv${v}-template`;

const junosOutput = (v: 4 | 6, a: string, p: string) => {
  const output = `set forwarding-options sampling instance NETMETA family inet${v === 6 ? "6" : ""} output`;
  return `${output} flow-server ${a} port ${p}
${output} flow-server ${a} version-ipfix template NETMETA${v}
${output} inline-jflow source-address 192.0.2.1`;
};

/** Timeout names that softflowd and pmacct share. */
const softTimeouts = ["tcp", "tcp.rst", "tcp.fin", "udp", "icmp", "general", "maxlife"].map((t) => t + "=10");

export const vendors: Vendor[] = [
  {
    id: "ios-xe",
    name: "Cisco IOS-XE",
    protocol: "IPFIX (Flexible NetFlow)",
    kind: "ipfix",
    port: 4739,
    note: "Repeat the last block for every edge interface. The sampler table reports the rate of each sampler, and collect flow sampler links each flow to its sampler. If a Catalyst rejects a collect line, omit it. Minimum timeout on Catalyst 3650 and 3850: 30.",
    source: "Cisco IOS XE, Flexible NetFlow Configuration Guide and Command Reference (b_166_3650_cr)",
    config: (a, p) => `${iosRecord(4)}
${iosRecord(6)}
flow exporter NETMETA
 destination ${a}
 transport udp ${p}
 export-protocol ipfix
 template data timeout 60
 option sampler-table timeout 60
 option interface-table timeout 300
!
${iosMonitor(4)}
${iosMonitor(6)}
sampler NETMETA
 mode random 1 out-of 1000
!
interface GigabitEthernet0/0/0
 ip flow monitor NETMETA4 sampler NETMETA input
 ipv6 flow monitor NETMETA6 sampler NETMETA input`,
  },
  {
    id: "ios-xr",
    name: "Cisco IOS-XR",
    protocol: "NetFlow v9",
    kind: "netflow",
    port: 2055,
    note: "NCS 5500 requires a power of two as the rate. For AS numbers, set bgp attribute-download in the address families of router bgp.",
    source: "Cisco ASR 9000 Series Netflow Configuration Guide, Configuring NetFlow; IOS XR data model flow_monitor_map",
    config: (a, p) => `flow exporter-map NETMETA
 version v9
  options interface-table timeout 300
  options sampler-table timeout 60
  template timeout 60
 !
 transport udp ${p}
 destination ${a}
!
${xrMonitor(4)}
${xrMonitor(6)}
sampler-map NETMETA
 random 1 out-of 1024
!
interface HundredGigE0/0/0/0
 flow ipv4 monitor NETMETA4 sampler NETMETA ingress
 flow ipv6 monitor NETMETA6 sampler NETMETA ingress`,
  },
  {
    id: "nx-os",
    name: "Cisco NX-OS",
    protocol: "sFlow v5",
    kind: "sflow",
    port: 6343,
    note: "Some Nexus switches (3000) always sample both ingress and egress. List edge interfaces only, or traffic is counted twice. Replace 192.0.2.1 with the switch's address.",
    source: "Cisco Nexus 3000 Series NX-OS System Management Configuration Guide, Configuring sFlow",
    config: (a, p) => `feature sflow
sflow sampling-rate 4096
sflow max-sampled-size 128
sflow counter-poll-interval 20
sflow collector-ip ${a} vrf management
sflow collector-port ${p}
sflow agent-ip 192.0.2.1
sflow data-source interface ethernet 1/1`,
  },
  {
    id: "junos",
    name: "Juniper MX, PTX, SRX",
    protocol: "IPFIX (inline-jflow)",
    kind: "ipfix",
    port: 4739,
    note: "Replace 192.0.2.1 with the router's address and fpc 0 with the line card of the interface. flex-flow-sizing is for MX; without it the IPv6 flow table is small. Minimum template timeout: 10 s.",
    source: "Juniper Junos OS Flow Monitoring Guide, Inline Active Flow Monitoring with IPFIX Flow Templates; flow-active-timeout",
    config: (a, p) => `${junosTemplate(4)}
${junosTemplate(6)}
set forwarding-options sampling instance NETMETA input rate 1000
${junosOutput(4, a, p)}
${junosOutput(6, a, p)}
set chassis fpc 0 sampling-instance NETMETA
set chassis fpc 0 inline-services flex-flow-sizing
set interfaces et-0/0/0 unit 0 family inet sampling input
set interfaces et-0/0/0 unit 0 family inet6 sampling input`,
  },
  {
    id: "junos-sflow",
    name: "Juniper EX, QFX",
    protocol: "sFlow v5",
    kind: "sflow",
    port: 6343,
    note: "Replace 192.0.2.1 with the switch's address. Repeat the last line for every edge interface.",
    source: "Juniper Junos OS configuration statement reference, sflow, sample-rate",
    config: (a, p) => `set protocols sflow agent-id 192.0.2.1
set protocols sflow source-ip 192.0.2.1
set protocols sflow polling-interval 20
set protocols sflow sample-rate ingress 4096
set protocols sflow collector ${a} udp-port ${p}
set protocols sflow interfaces et-0/0/0.0`,
  },
  {
    id: "eos",
    name: "Arista EOS",
    protocol: "sFlow v5",
    kind: "sflow",
    port: 6343,
    note: "sFlow samples ingress on all Ethernet interfaces by default. In another VRF, use sflow vrf NAME destination and sflow vrf NAME source-interface. Rates finer than 16,384 need the keyword dangerous: sflow sample dangerous 4096.",
    source: "Arista EOS User Manual, sFlow",
    config: (a, p) => `sflow sample 16384
sflow polling-interval 20
sflow destination ${a} ${p}
sflow source-interface Loopback0
sflow run`,
  },
  {
    id: "routeros",
    name: "MikroTik RouterOS 7",
    protocol: "IPFIX",
    kind: "ipfix",
    port: 4739,
    note: "Flows are not sampled. On fast links, select the edge interfaces instead of all. Traffic forwarded by the switch chip is not counted. Covers IPv4 and IPv6.",
    source: "MikroTik RouterOS documentation, Traffic Flow",
    config: (a, p) => `/ip/traffic-flow/set enabled=yes interfaces=all active-flow-timeout=10s inactive-flow-timeout=10s
/ip/traffic-flow/target/add dst-address=${a} port=${p} version=ipfix v9-template-timeout=1m`,
  },
  {
    id: "sros",
    name: "Nokia SR OS",
    protocol: "IPFIX (cflowd)",
    kind: "ipfix",
    port: 4739,
    note: "MD-CLI. Enable sampling on each edge interface, as in the last lines. Covers IPv4 and IPv6. Unless cflowd use-vrtr-if-index is set, its records use their own interface index.",
    source: "Nokia 7750 SR MD-CLI Command Reference Guide, cflowd; Router Configuration Guide, Cflowd",
    config: (a, p) => `/configure cflowd admin-state enable
/configure cflowd active-flow-timeout 30
/configure cflowd inactive-flow-timeout 10
/configure cflowd template-retransmit 60
/configure cflowd sample-profile 1 sample-rate 1000
/configure cflowd collector ${a} port ${p} version 10
/configure cflowd collector ${a} port ${p} admin-state enable
/configure cflowd collector ${a} port ${p} template-set basic
/configure router "Base" interface "to-transit" cflowd-parameters sampling unicast type interface
/configure router "Base" interface "to-transit" cflowd-parameters sampling unicast direction ingress-only
/configure router "Base" interface "to-transit" cflowd-parameters sampling unicast sample-profile 1`,
  },
  {
    id: "huawei",
    name: "Huawei VRP",
    protocol: "NetStream v9",
    kind: "netflow",
    port: 2055,
    note: "Replace 192.0.2.1 with the router's address. On NetEngine, option sampler reports the rate; elsewhere, set the rate in the configuration file. timeout active and timeout-rate are in minutes, minimum 1, which limits the resolution of charts.",
    source: "Huawei NetEngine 8000 Command Reference, NetStream; NE40E Configuration Guide, NetStream",
    config: (a, p) =>
      ["ip", "ipv6"]
        .map(
          (ip) => `${ip} netstream timeout active 1
${ip} netstream timeout inactive 10
${ip} netstream export version 9
${ip} netstream export source 192.0.2.1
${ip} netstream export host ${a.includes(":") ? "ipv6 " : ""}${a} ${p}
${ip} netstream export template timeout-rate 1
${ip} netstream export template option sampler
${ip} netstream export template option timeout-rate 1
`,
        )
        .join("") +
      `interface GigabitEthernet0/0/0
 ip netstream sampler fix-packets 1000 inbound
 ip netstream inbound
 ipv6 netstream sampler fix-packets 1000 inbound
 ipv6 netstream inbound`,
  },
  {
    id: "fortigate",
    name: "FortiGate",
    protocol: "NetFlow v9",
    kind: "netflow",
    port: 2055,
    note: "Flows are not sampled. For FortiOS 7.4. In 7.2, collector-ip and collector-port are directly under config system netflow. Up to 7.0.11, active-flow-timeout and template-tx-timeout are in minutes; use 1. The minimum of 60 s limits the resolution of charts.",
    source: "Fortinet FortiOS 7.4 and 7.6 CLI Reference, config system netflow; Administration Guide, NetFlow",
    config: (a, p) => `config system netflow
    set active-flow-timeout 60
    set inactive-flow-timeout 10
    set template-tx-timeout 60
    config collectors
        edit 1
            set collector-ip ${a}
            set collector-port ${p}
        next
    end
end
config system interface
    edit "wan1"
        set netflow-sampler rx
    next
end`,
  },
  {
    id: "vyos",
    name: "VyOS",
    protocol: "NetFlow v9",
    kind: "netflow",
    port: 2055,
    note: "Ingress only unless enable-egress is set. Without disable-imt an in-memory table uses much CPU. For VyOS up to 1.4. For sampling, add netflow sampling-rate 1000.",
    source: "VyOS documentation, Flow Accounting; its command definitions for timeout max-active-life",
    config: (a, p) => `set system flow-accounting disable-imt
set system flow-accounting interface eth0
set system flow-accounting netflow version 9
set system flow-accounting netflow server ${a} port ${p}
set system flow-accounting netflow timeout max-active-life 10
set system flow-accounting netflow timeout expiry-interval 10`,
  },
  {
    id: "opnsense",
    name: "OPNsense",
    protocol: "NetFlow v9",
    kind: "netflow",
    port: 2055,
    note: "Flows are not sampled. Interfaces under Egress only are not counted at ingress. Leave that empty unless the firewall's own traffic should be excluded.",
    source: "OPNsense documentation, Configure Netflow Exporter",
    config: (a, p) => `Reporting → NetFlow
  Interfaces        all edge and inside interfaces
  Capture local     off
  Version           v9
  Destinations      ${withPort(a, p)}
  Apply`,
  },
  {
    id: "pfsense",
    name: "pfSense",
    protocol: "NetFlow v9 (softflowd)",
    kind: "netflow",
    port: 2055,
    note: "The softflowd package counts both directions of each interface. Select the edge interface only, or traffic is counted twice.",
    source: "pfSense package softflowd, settings; softflowd(8)",
    config: (a, p) => `System → Package Manager → Available Packages → softflowd → Install
Services → softflowd
  Interface             WAN
  Host                  ${a}
  Port                  ${p}
  NetFlow version       9
  Flow tracking level   Full
  Timeouts              general, TCP, TCP RST, TCP FIN, UDP, ICMP, maximum lifetime: 10; expire interval: 1`,
  },
  {
    id: "pmacct",
    name: "Linux: pmacct",
    protocol: "IPFIX (nfprobe)",
    kind: "ipfix",
    port: 4739,
    note: "pmacctd exports; nfacctd of the same package receives. It counts every packet of one interface, both directions, IPv4 and IPv6. For sampling, set sampling_rate: 100; the rate is announced.",
    source: "pmacct CONFIG-KEYS and QUICKSTART, nfprobe; version 1.7.7",
    tried: true,
    config: (a, p) => `apt install pmacct
cat > /etc/pmacct/netmeta.conf <<END
daemonize: true
pcap_interface: eth0
aggregate: src_host, dst_host, src_port, dst_port, proto, tos, tcpflags
plugins: nfprobe
nfprobe_receiver: ${withPort(a, p)}
nfprobe_version: 10
nfprobe_timeouts: ${[...softTimeouts, "expint=1"].join(":")}
END
pmacctd -f /etc/pmacct/netmeta.conf`,
  },
  {
    id: "softflowd",
    name: "Linux: softflowd",
    protocol: "IPFIX",
    kind: "ipfix",
    port: 4739,
    note: "Counts every packet of one interface, both directions, IPv4 and IPv6. For sampling, add -s 100; the rate is announced.",
    source: "softflowd(8), version 1.1",
    tried: true,
    config: (a, p) => `apt install softflowd
softflowd -i eth0 -n ${withPort(a, p)} -v 10 -T full ${[...softTimeouts, "expint=1"].map((t) => "-t " + t).join(" ")}`,
  },
  {
    id: "ipt-netflow",
    name: "Linux: ipt_NETFLOW",
    protocol: "IPFIX",
    kind: "ipfix",
    port: 4739,
    note: "A kernel module, for routers with much traffic. Forwarded packets are counted once, in FORWARD. Flows are not sampled.",
    source: "ipt_NETFLOW README (aabc/ipt-netflow)",
    config: (a, p) => `apt install iptables-netflow-dkms
modprobe ipt_NETFLOW destination=${withPort(a, p)} protocol=10 active_timeout=10 inactive_timeout=10
sysctl net.netflow.timeout-rate=1
iptables -I FORWARD -j NETFLOW
ip6tables -I FORWARD -j NETFLOW`,
  },
  {
    id: "ipfixprobe",
    name: "Linux: ipfixprobe",
    protocol: "IPFIX",
    kind: "ipfix",
    port: 4739,
    note: "For probes on a mirror port. split sends one record per direction. Without udp it sends over TCP, which NetMeta does not accept.",
    source: "CESNET ipfixprobe documentation, storage plugin cache and output plugin ipfix",
    config: (a, p) => `ipfixprobe -i 'raw;ifc=eth0' -s 'cache;split;active=10;inactive=10' -o 'ipfix;udp;host=${a};port=${p}'`,
  },
  {
    id: "hsflowd",
    name: "Linux: hsflowd",
    protocol: "sFlow v5",
    kind: "sflow",
    port: 6343,
    note: "In /etc/hsflowd.conf. For servers, hypervisors and switches that run Linux. A sampled packet is counted once per listed interface, so list edge interfaces only.",
    source: "sflow.net, Configuring Host sFlow for Linux via /etc/hsflowd.conf; hsflowd.conf in the source",
    config: (a, p) => `sflow {
  sampling = 1000
  polling = 20
  collector { ip = ${a} udpport = ${p} }
  pcap { dev = eth0 }
}`,
  },
  {
    id: "ovs",
    name: "Open vSwitch",
    protocol: "sFlow v5",
    kind: "sflow",
    port: 6343,
    note: "agent is the interface whose address identifies the switch. Repeat for each bridge.",
    source: "Open vSwitch documentation, Monitoring VM Traffic Using sFlow",
    config: (a, p) => `ovs-vsctl -- --id=@s create sflow agent=eth0 target=\\"${withPort(a, p)}\\" header=128 sampling=1000 polling=20 \\
          -- set bridge br0 sflow=@s`,
  },
];
