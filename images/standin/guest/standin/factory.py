"""The configuration a stand-in has when nobody gave it one: what pfSense's own default says of the things a stand-in does.

Two interfaces that are not there (em0, em1), so that the first boot asks which NIC is which, as a pfSense with virtio NICs does.
"""

from __future__ import annotations

from standin.defaults import DEFAULT_HASH

DEFAULT_CONFIG = f"""<?xml version="1.0"?>
<pfsense>
\t<version>22.9</version>
\t<lastchange></lastchange>
\t<system>
\t\t<optimization>normal</optimization>
\t\t<hostname>standin</hostname>
\t\t<domain>home.arpa</domain>
\t\t<dnsserver></dnsserver>
\t\t<dnsallowoverride></dnsallowoverride>
\t\t<group>
\t\t\t<name>all</name>
\t\t\t<description>All Users</description>
\t\t\t<scope>system</scope>
\t\t\t<gid>1998</gid>
\t\t</group>
\t\t<group>
\t\t\t<name>admins</name>
\t\t\t<description>System Administrators</description>
\t\t\t<scope>system</scope>
\t\t\t<gid>1999</gid>
\t\t\t<member>0</member>
\t\t\t<priv>page-all</priv>
\t\t</group>
\t\t<user>
\t\t\t<name>admin</name>
\t\t\t<descr>System Administrator</descr>
\t\t\t<scope>system</scope>
\t\t\t<groupname>admins</groupname>
\t\t\t<bcrypt-hash>{DEFAULT_HASH}</bcrypt-hash>
\t\t\t<uid>0</uid>
\t\t\t<priv>user-shell-access</priv>
\t\t</user>
\t\t<nextuid>2000</nextuid>
\t\t<nextgid>2000</nextgid>
\t\t<webgui>
\t\t\t<protocol>https</protocol>
\t\t</webgui>
\t\t<ipv6allow></ipv6allow>
\t\t<enableserial></enableserial>
\t</system>
\t<interfaces>
\t\t<wan>
\t\t\t<enable></enable>
\t\t\t<if>em0</if>
\t\t\t<descr>WAN</descr>
\t\t\t<ipaddr>dhcp</ipaddr>
\t\t\t<blockpriv></blockpriv>
\t\t\t<blockbogons></blockbogons>
\t\t</wan>
\t\t<lan>
\t\t\t<enable></enable>
\t\t\t<if>em1</if>
\t\t\t<descr>LAN</descr>
\t\t\t<ipaddr>192.168.1.1</ipaddr>
\t\t\t<subnet>24</subnet>
\t\t</lan>
\t</interfaces>
\t<nat>
\t\t<outbound>
\t\t\t<mode>automatic</mode>
\t\t</outbound>
\t</nat>
\t<filter>
\t\t<rule>
\t\t\t<type>pass</type>
\t\t\t<ipprotocol>inet</ipprotocol>
\t\t\t<descr>Default allow LAN to any rule</descr>
\t\t\t<interface>lan</interface>
\t\t\t<tracker>0100000101</tracker>
\t\t\t<source>
\t\t\t\t<network>lan</network>
\t\t\t</source>
\t\t\t<destination>
\t\t\t\t<any></any>
\t\t\t</destination>
\t\t</rule>
\t</filter>
</pfsense>
"""
