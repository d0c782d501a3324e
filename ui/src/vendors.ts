// How to make a router export. Every snippet asks for ingress flows only (each packet counted once), short active and inactive timeouts
// (so that one-second data is honest), and the options that announce the sampling rate.

export interface Vendor {
  id: string;
  name: string;
  protocol: string;
  /** The kind of listener that it sends to, and the port when the server names none. */
  kind: string;
  port: number;
  note: string;
  config: (address: string, port: string) => string;
}

export const vendors: Vendor[] = [
  {
    id: "ios-xe",
    name: "Cisco IOS-XE",
    protocol: "IPFIX (Flexible NetFlow)",
    kind: "ipfix",
    port: 4739,
    note: "The sampler table tells NetMeta the rate. Repeat the last block for every interface at the edge.",
    config: (a, p) => `flow record NETMETA4
 match ipv4 tos
 match ipv4 protocol
 match ipv4 source address
 match ipv4 destination address
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
!
flow exporter NETMETA
 destination ${a}
 transport udp ${p}
 export-protocol ipfix
 template data timeout 60
 option sampler-table timeout 60
 option interface-table timeout 300
!
flow monitor NETMETA4
 record NETMETA4
 exporter NETMETA
 cache timeout active 10
 cache timeout inactive 10
!
sampler NETMETA
 mode random 1 out-of 1000
!
interface GigabitEthernet0/0/0
 ip flow monitor NETMETA4 sampler NETMETA input`,
  },
  {
    id: "ios-xr",
    name: "Cisco IOS-XR",
    protocol: "NetFlow v9",
    kind: "netflow",
    port: 2055,
    note: "Add a monitor with record ipv6 in the same way for IPv6.",
    config: (a, p) => `flow exporter-map NETMETA
 version v9
  options interface-table timeout 300
  options sampler-table timeout 60
  template timeout 60
 !
 transport udp ${p}
 destination ${a}
!
flow monitor-map NETMETA4
 record ipv4
 exporter NETMETA
 cache timeout active 10
 cache timeout inactive 10
 cache entries 200000
!
sampler-map NETMETA
 random 1 out-of 1000
!
interface HundredGigE0/0/0/0
 flow ipv4 monitor NETMETA4 sampler NETMETA ingress`,
  },
  {
    id: "nx-os",
    name: "Cisco NX-OS",
    protocol: "sFlow v5",
    kind: "sflow",
    port: 6343,
    note: "Some Nexus sample what leaves an interface as well as what enters it: name only the interfaces at the edge, or traffic is counted twice.",
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
    name: "Juniper Junos",
    protocol: "IPFIX (inline-jflow)",
    kind: "ipfix",
    port: 4739,
    note: "Replace 192.0.2.1 by the router's own address and fpc 0 by the line card that holds the interface.",
    config: (a, p) => `set services flow-monitoring version-ipfix template NETMETA4 flow-active-timeout 10
set services flow-monitoring version-ipfix template NETMETA4 flow-inactive-timeout 10
set services flow-monitoring version-ipfix template NETMETA4 template-refresh-rate seconds 30
set services flow-monitoring version-ipfix template NETMETA4 option-refresh-rate seconds 30
set services flow-monitoring version-ipfix template NETMETA4 ipv4-template
set forwarding-options sampling instance NETMETA input rate 1000
set forwarding-options sampling instance NETMETA family inet output flow-server ${a} port ${p}
set forwarding-options sampling instance NETMETA family inet output flow-server ${a} version-ipfix template NETMETA4
set forwarding-options sampling instance NETMETA family inet output inline-jflow source-address 192.0.2.1
set chassis fpc 0 sampling-instance NETMETA
set interfaces et-0/0/0 unit 0 family inet sampling input`,
  },
  {
    id: "eos",
    name: "Arista EOS",
    protocol: "sFlow v5",
    kind: "sflow",
    port: 6343,
    note: "sFlow samples ingress on all Ethernet interfaces by default.",
    config: (a, p) => `sflow sample 4096
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
    note: "Flows are not sampled. On a fast link, choose the edge interfaces instead of all. What the switch chip or the fast path forwards is not seen.",
    config: (a, p) => `/ip/traffic-flow/set enabled=yes interfaces=all active-flow-timeout=10s inactive-flow-timeout=10s
/ip/traffic-flow/target/add dst-address=${a} port=${p} version=ipfix v9-template-timeout=1m`,
  },
  {
    id: "sros",
    name: "Nokia SR OS",
    protocol: "IPFIX (cflowd)",
    kind: "ipfix",
    port: 4739,
    note: "MD-CLI. Switch sampling on at each edge interface, as the last line does.",
    config: (a, p) => `/configure cflowd admin-state enable
/configure cflowd active-flow-timeout 30
/configure cflowd inactive-flow-timeout 10
/configure cflowd template-retransmit 60
/configure cflowd sample-profile 1 sample-rate 1000
/configure cflowd collector ${a} port ${p} version 10
/configure cflowd collector ${a} port ${p} admin-state enable
/configure cflowd collector ${a} port ${p} template-set basic
/configure router "Base" interface "to-transit" cflowd-parameters sampling unicast type interface direction ingress-only`,
  },
  {
    id: "huawei",
    name: "Huawei VRP",
    protocol: "NetStream v9",
    kind: "netflow",
    port: 2055,
    note: "Replace 192.0.2.1 by the router's own address. option sampler, on NetEngine, tells NetMeta the rate; where it is missing, name the rate in the configuration file.",
    config: (a, p) => `ip netstream timeout active 1
ip netstream timeout inactive 10
ip netstream export version 9
ip netstream export source 192.0.2.1
ip netstream export host ${a} ${p}
ip netstream export template timeout-rate 1
ip netstream export template option sampler
interface GigabitEthernet0/0/0
 ip netstream sampler fix-packets 1000 inbound
 ip netstream inbound`,
  },
  {
    id: "fortigate",
    name: "FortiGate",
    protocol: "NetFlow v9",
    kind: "netflow",
    port: 2055,
    note: "Flows are not sampled. active-flow-timeout is in seconds from FortiOS 7.2 on, in minutes before.",
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
    note: "",
    config: (a, p) => `set system flow-accounting interface eth0
set system flow-accounting netflow version 9
set system flow-accounting netflow server ${a} port ${p}
set system flow-accounting netflow timeout max-active-life 10
set system flow-accounting netflow timeout expiry-interval 10`,
  },
  {
    id: "softflowd",
    name: "Linux: softflowd",
    protocol: "IPFIX",
    kind: "ipfix",
    port: 4739,
    note: "Watches one interface and counts every packet, both ways.",
    config: (a, p) => `apt install softflowd
softflowd -i eth0 -n ${a}:${p} -v 10 -t maxlife=10 -t general=10 -t expint=1 -T full`,
  },
  {
    id: "hsflowd",
    name: "Linux: hsflowd",
    protocol: "sFlow v5",
    kind: "sflow",
    port: 6343,
    note: "In /etc/hsflowd.conf. Servers, hypervisors and switches that run Linux.",
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
    note: "",
    config: (a, p) => `ovs-vsctl -- --id=@s create sflow agent=eth0 target=\\"${a}:${p}\\" header=128 sampling=1000 polling=20 \\
          -- set bridge br0 sflow=@s`,
  },
];
